//! `switchover`: the steps of a plan that was decided.

use super::{name, names, spoken};
use crate::model::{Outlook, Proposal};
use crate::plan::switchover::Plan;
use crate::spec::ClusterSpec;

pub fn switchover(plan: &Plan, cluster: &ClusterSpec) -> Proposal {
    let Plan { from, to, voters, because, warnings } = plan;
    let (from, to, voters) = (name(cluster, *from), name(cluster, *to), names(cluster, voters));
    spoken(
        cluster,
        Proposal {
            order: format!("switchover from {from} to {to}"),
            because: because.clone(),
            outlook: Outlook::NeedsConsent,
            seen: Vec::new(),
            steps: vec![
                format!("checkpoint {from}, so that its stop is short"),
                format!("lock promotions on {voters} and let them promise a new epoch: {from} cannot resume"),
                format!("stop {from}; wait until its standbys have received all of its WAL"),
                format!("promote {to}; the others follow it"),
                format!("{from}'s container starts again and follows without a rewind"),
            ],
            warnings: warnings.clone(),
        },
    )
}
