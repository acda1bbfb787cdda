//! `rejoin NAME`: a restart, and by which rung the node comes back.

use super::{name, seen, spoken};
use crate::model::{ClusterView, NodeNumber, Outlook, Proposal, Reach};
use crate::plan::forecast;
use crate::plan::start::Verdict;
use crate::spec::ClusterSpec;

pub fn rejoin(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> Proposal {
    let node = name(cluster, number);
    let refused = |because: String| (Outlook::Refused, because, Vec::new());
    let (outlook, because, steps) = match (view.primary(), view.reach(number)) {
        (None, _) => {
            refused("nobody is primary, so there is nobody to follow: pgcluster promote --because TEXT makes one".into())
        }
        (Some((primary, _)), _) if primary == number => {
            refused(format!("{node} is the primary: pgcluster switchover hands over first"))
        }
        (Some(_), Some(Reach::Silent { reason } | Reach::Refused { reason } | Reach::Untrusted { reason })) => {
            refused(format!("{node} cannot be restarted from here: {reason}"))
        }
        (Some(_), None) => refused(format!("{node} was not asked")),
        (Some((primary, _)), Some(Reach::Waiting(_) | Reach::NotYet { .. })) => (
            Outlook::NeedsConsent,
            format!("{node} is starting already"),
            vec![format!("wait until {node} follows {}{}", name(cluster, primary), rung(view, cluster, number))],
        ),
        (Some((primary, _)), Some(Reach::Serving(_))) => (
            Outlook::NeedsConsent,
            format!("{} is primary", name(cluster, primary)),
            vec![
                format!("end {node}'s server (fast shutdown): all sessions on it end"),
                format!("its container starts again by its restart policy{}", rung(view, cluster, number)),
                format!("wait until {node} follows {}", name(cluster, primary)),
            ],
        ),
    };
    spoken(
        cluster,
        Proposal { order: format!("rejoin {node}"), because, outlook, seen: seen(cluster, view), steps, warnings: Vec::new() },
    )
}

/// Which rung, by timelines and histories; nothing where the node says too little of its data.
fn rung(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> String {
    let Some(plan) = forecast::restart(view, cluster, number) else {
        return ": in place, by a rewind, or by a copy".into();
    };
    let how = match plan.verdict {
        Verdict::Follow { .. } => "it streams in place",
        Verdict::Rewind { .. } => "it is rewound, or copied where that fails",
        Verdict::Clone { .. } => "it is copied",
        Verdict::Refuse => "it refuses to start",
        Verdict::Park => "it is parked, and follows nobody",
        Verdict::Initdb | Verdict::Standby | Verdict::Resume | Verdict::Wait => "it waits",
    };
    format!(": {how} ({})", plan.because)
}
