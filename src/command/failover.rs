//! `pgcluster failover …`: pgpool's failover_command. The arguments are hints; facts are asked for. Always exits 0: pgpool ignores the
//! code, and searches the primary as soon as this returns.

use std::time::Instant;

use crate::act::election;
use crate::act::promote::{self, FAILOVER_DEADLINE, Outcome, Wish};
use crate::command::{after_failover, block_on};
use crate::exit::Exit;
use crate::model::NodeNumber;
use crate::observe::environment;
use crate::observe::pool::read_status_file;
use crate::plan::pool::successor;
use crate::spec::FailoverMode;

/// The failed node if it is, or may be, the living primary: a false alarm must cost a pause, not the primary.
fn wrongly_detached(failed: &str, outcome: &Outcome) -> Option<NodeNumber> {
    let failed = NodeNumber(failed.parse().ok()?);
    match outcome {
        Outcome::None { primary, .. } if *primary == failed => Some(failed),
        Outcome::Lives { .. } => Some(failed),
        Outcome::None { .. } | Outcome::Promoted { .. } | Outcome::Impossible { .. } => None,
    }
}

/// The failed node if it was the primary, `%P`, and somebody else is now, whoever promoted it.
fn deposed(failed: &str, was_primary: &str, outcome: &Outcome) -> Option<NodeNumber> {
    let failed = NodeNumber(failed.parse().ok()?);
    match outcome {
        Outcome::Promoted { primary } | Outcome::None { primary, .. } if *primary != failed => {
            (was_primary.parse() == Ok(failed.0)).then_some(failed)
        }
        Outcome::Promoted { .. } | Outcome::None { .. } | Outcome::Lives { .. } | Outcome::Impossible { .. } => None,
    }
}

/// By the tripwire's election, if there is one.
async fn elect(failed: Option<NodeNumber>, wish: Wish<'_>) -> Outcome {
    let began = Instant::now();
    if let Some(failed) = failed
        && let Some(primary) = election::wait_for(failed, wish.deadline).await
    {
        return Outcome::None { primary, because: format!("node {primary} was elected just now") };
    }
    promote::promote(Wish { deadline: wish.deadline.saturating_sub(began.elapsed()), ..wish }).await
}

/// `hints`: `%d %h %p %D %m %H %M %P %r %R %N %S`.
pub fn run(hints: &[String]) -> anyhow::Result<Exit> {
    let snapshot = environment::kept_or_own()?;
    let spec = environment::pgpool_spec(&snapshot)?;
    environment::start_logging(spec.cluster.log);
    let hint = |index: usize| hints.get(index).map(|text| text.trim());
    let failed = hint(0).unwrap_or("?");
    if spec.cluster.failover != FailoverMode::Auto {
        tracing::info!("failover of node {failed}: left to others (FAILOVER_MODE)");
        return Ok(Exit::Ok);
    }
    let reason = format!("pgpool {} lost node {failed}", spec.name);
    let number = failed.parse().ok().map(NodeNumber);
    let preferred = number.and_then(|number| successor(&read_status_file().up, number));
    let wish = Wish { preferred, ..Wish::of_machine(&spec.cluster, &reason, FAILOVER_DEADLINE) };
    let outcome = block_on(elect(number, wish));
    match &outcome {
        Outcome::Promoted { primary } => tracing::info!("failover of node {failed}: promoted node {primary}"),
        Outcome::None { because, .. } => tracing::info!("failover of node {failed}: nothing to promote, {because}"),
        Outcome::Lives { because } => tracing::warn!("failover of node {failed}: the primary lives, {because}"),
        Outcome::Impossible { because } => tracing::error!("failover of node {failed}: no promotion, {because}"),
    }
    after_failover::leave_behind(wrongly_detached(failed, &outcome), deposed(failed, hint(7).unwrap_or_default(), &outcome));
    Ok(Exit::Ok)
}
