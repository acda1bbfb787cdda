//! A node that pgpool has not missed, because it is frozen or cut off rather than dead: pgpool's own health check did not notice one in
//! 22 s. Two looks without an answer, of a primary also silent standbys and a promotion, then it is taken out of pgpool.

use std::time::Duration;

use crate::act::promote::{self, Outcome, Wish};
use crate::act::{nudge, pcp, sever};
use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look;
use crate::observe::pool::read_status_file;
use crate::plan::pool::silent_standbys;
use crate::plan::promotion::frozen_primary;
use crate::spec::{FailoverMode, PgpoolSpec};

/// Inside the health check's own deadline.
const ELECTION_DEADLINE: Duration = Duration::from_millis(4000);

/// A standby that answers nobody, while pgpool connects every new session to it: out, until it streams again. What was done, one line
/// each, and whether anything was: pgpool's status file does not say that the last of all nodes is down, and then it refuses.
pub async fn drop_silent_standbys(spec: &PgpoolSpec, view: &ClusterView) -> (Vec<String>, bool) {
    let mut silent = silent_standbys(view, &read_status_file().up);
    if !silent.is_empty() {
        let again = look(&spec.cluster, spec.cluster.nodes.iter()).await;
        let still = silent_standbys(&again, &read_status_file().up);
        silent.retain(|number| still.contains(number));
    }
    let (mut lines, mut is_dropped) = (Vec::new(), false);
    for number in silent {
        let taken_out = take_out(spec, number).await;
        is_dropped |= taken_out.is_ok();
        let result = taken_out.unwrap_or_else(|refused| refused);
        lines.push(format!("node {number} did not answer twice, the primary does: {result}"));
    }
    (lines, is_dropped)
}

/// What was done; none if there was no reason.
pub async fn depose_frozen(spec: &PgpoolSpec, view: &ClusterView) -> Option<String> {
    let frozen = frozen_primary(view, &read_status_file().up)?;
    if spec.cluster.failover != FailoverMode::Auto {
        return Some(format!("node {frozen} does not answer; FAILOVER_MODE leaves the promotion to others"));
    }
    let again = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    if frozen_primary(&again, &read_status_file().up) != Some(frozen) {
        return None;
    }
    let reason = format!("pgpool {} got no answer from node {frozen}", spec.name);
    let wish = Wish::of_machine(&spec.cluster, &reason, ELECTION_DEADLINE);
    match promote::promote(wish).await {
        Outcome::Promoted { primary } | Outcome::None { primary, .. } => {
            let detached = take_out(spec, frozen).await.unwrap_or_else(|refused| refused);
            Some(format!("node {primary} is primary, node {frozen} did not answer and is {detached}"))
        }
        Outcome::Lives { because } | Outcome::Impossible { because } => Some(format!("no promotion: {because}")),
    }
}

/// Out of pgpool, and whoever hangs on it with it. In words, and so is why not.
async fn take_out(spec: &PgpoolSpec, silent: NodeNumber) -> Result<String, String> {
    pcp::detach(spec, silent).await.map_err(|error| format!("not detached: {error:#}"))?;
    let (ended, ()) =
        tokio::join!(sever::sever(spec, silent, nudge::LONG_ENOUGH), nudge::wake_sleepers(spec.port, nudge::LONG_ENOUGH));
    Ok(format!("detached, with {ended} sessions"))
}
