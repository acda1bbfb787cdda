//! A primary that pgpool has not missed, because it is frozen or cut off rather than dead: pgpool's own health check did not notice one in
//! 22 s. Two looks without an answer, silent standbys, then a promotion, then the old one is taken out of pgpool.

use std::fs;
use std::time::Duration;

use crate::act::pcp;
use crate::act::promote::{self, Outcome, Wish};
use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look;
use crate::plan::promotion::{Asker, frozen_primary};
use crate::render::paths::PGPOOL_STATUS;
use crate::spec::{FailoverMode, PgpoolSpec};

/// Inside the health check's own deadline.
const ELECTION_DEADLINE: Duration = Duration::from_millis(4000);

/// What was done; none if there was no reason.
pub async fn depose_frozen(spec: &PgpoolSpec, view: &ClusterView) -> Option<String> {
    let frozen = frozen_primary(view, &believed_up())?;
    if spec.cluster.failover != FailoverMode::Auto {
        return Some(format!("node {frozen} does not answer; FAILOVER_MODE leaves the promotion to others"));
    }
    let again = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    if frozen_primary(&again, &believed_up()) != Some(frozen) {
        return None;
    }
    let reason = format!("pgpool {} got no answer from node {frozen}", spec.name);
    let wish = Wish { cluster: &spec.cluster, asker: Asker::Machine, reason: &reason, deadline: ELECTION_DEADLINE };
    match promote::promote(wish).await {
        Outcome::Promoted { primary } | Outcome::None { primary, .. } => {
            let detached = pcp::detach(spec, frozen).await;
            let detached = detached.map_or_else(|error| format!("not detached: {error:#}"), |()| "detached".into());
            Some(format!("node {primary} is primary, node {frozen} did not answer and is {detached}"))
        }
        Outcome::Lives { because } | Outcome::Impossible { because } => Some(format!("no promotion: {because}")),
    }
}

/// From the status file that pgpool writes at each change: over PCP it would ping the frozen node before it says a word.
fn believed_up() -> Vec<NodeNumber> {
    let text = fs::read_to_string(PGPOOL_STATUS).unwrap_or_default();
    (0..).map(NodeNumber).zip(text.lines()).filter(|(_, line)| line.trim() == "up").map(|(number, _)| number).collect()
}
