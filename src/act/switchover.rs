//! Hands the primary over: nobody else may promote meanwhile, the old primary cannot resume, and the new one holds everything.
//!
//! Killed anywhere, the cluster ends with one primary: before the stop the old one goes on, or ends itself because its standbys promised
//! another reign; after it the standbys elect.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures_util::future::try_join_all;
use tokio_postgres::Client;

use crate::act::fault_point::fault_point;
use crate::act::fence;
use crate::act::operation::Operation;
use crate::act::promote::{self, Outcome, Wish};
use crate::act::standby::{self, Standby};
use crate::model::{ClusterView, NodeNumber, Reach, Role};
use crate::observe::peer::look_and_stay;
use crate::observe::readiness;
use crate::plan::promotion::{self, Asker};
use crate::plan::switchover::{self as decision, Facts, Plan};
use crate::spec::ClusterSpec;

/// A checkpoint before the stop makes the stop short; a large one may take its time, and then the stop waits for less.
const CHECKPOINT_DEADLINE: Duration = Duration::from_secs(120);
/// A fast shutdown ends when its standbys have received everything.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PROMOTE_DEADLINE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(3);

/// Looks and decides; nothing is touched.
pub async fn plan(cluster: &ClusterSpec, wanted: Option<NodeNumber>) -> anyhow::Result<Plan> {
    let (view, sessions) = look_and_stay(cluster).await;
    let primary = view.primary().map(|(number, _)| number);
    let (quorum, readiness) = (cluster.quorum(), readiness::ask(cluster, &sessions, primary).await?);
    decision::switchover(&Facts { view: &view, nodes: &cluster.nodes, quorum, wanted, readiness: &readiness })
        .map_err(anyhow::Error::msg)
}

/// Carries the plan out, if it still is what the facts ask for. Returns who is primary then: the facts decide, the plan's target is preferred.
pub async fn switchover(cluster: &ClusterSpec, plan: &Plan, reason: &str) -> anyhow::Result<NodeNumber> {
    let operation = Operation::begin(cluster, plan.from, "switchover").await?;
    let now = self::plan(cluster, Some(plan.to)).await?;
    ensure!(now.from == plan.from, "node {} is primary now: look again", now.from);
    let checkpoint = tokio::time::timeout(CHECKPOINT_DEADLINE, operation.primary.batch_execute("CHECKPOINT")).await;
    checkpoint.context("checkpoint the primary: not finished in time")?.context("checkpoint the primary")?;
    fault_point("switchover-begun");
    let (view, sessions) = look_and_stay(cluster).await;
    let needed = cluster.quorum().promotion;
    let (mut standbys, states) = standby::lock_all(cluster, sessions, &plan.voters, needed).await;
    ensure!(standbys.len() >= needed, "too few standbys could be locked: another promotion is under way");
    fault_point("switchover-locked");
    // With this promise nobody names the old primary any more, so that it does not resume when its container starts again.
    ensure!(states.iter().all(|state| state.role == Role::Standby), "somebody was promoted meanwhile: look again");
    let epoch = promotion::next_epoch(states.iter()).to_string();
    let promise = [(standby::PROMISE, epoch.as_str())];
    try_join_all(standbys.iter().map(|standby| standby.order(&promise))).await?;
    fault_point("switchover-promised");
    fence::order_stop(&operation.primary).await.context("stop the primary")?;
    fault_point("switchover-stopped");
    wait_until_received(&operation.primary, &standbys).await?;
    fault_point("switchover-received");
    let wish = Wish { cluster, asker: Asker::Person, preferred: Some(plan.to), reason, deadline: PROMOTE_DEADLINE };
    let sessions = standbys.drain(..).map(Standby::into_session).collect();
    match promote::promote_locked(&wish, &without(view, plan.from), sessions).await {
        Ok(primary) => Ok(primary),
        Err(error) => {
            tracing::warn!("{error:#}: asking again");
            match promote::promote(wish).await {
                Outcome::Promoted { primary } | Outcome::None { primary, .. } => Ok(primary),
                Outcome::Lives { because } | Outcome::Impossible { because } => Err(anyhow::anyhow!("{because}")),
            }
        }
    }
}

/// The walsenders of a server that stops end when their standbys have everything, the last checkpoint included; then the receivers end.
/// Its session, which ended before, says that it was the server that went. Asked anew, an address that Docker takes away costs a second.
async fn wait_until_received(primary: &Client, standbys: &[Standby<'_>]) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let streaming = try_join_all(standbys.iter().map(Standby::is_streaming)).await?;
        if !streaming.contains(&true) && primary.is_closed() {
            return Ok(());
        }
        ensure!(began.elapsed() < STOP_DEADLINE, "the primary did not end in {} s", STOP_DEADLINE.as_secs());
        tokio::time::sleep(POLL).await;
    }
}

/// The view after that node was stopped.
fn without(mut view: ClusterView, number: NodeNumber) -> ClusterView {
    for (_, reach) in view.nodes.iter_mut().filter(|(n, _)| *n == number) {
        *reach = Reach::Silent { reason: "stopped for a switchover".into() };
    }
    view
}
