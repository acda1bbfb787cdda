//! `bootstrap`: a new cluster on this node, and what is given up for it.

use super::{name, names, seen, spoken};
use crate::model::{ClusterView, NodeNumber, Outlook, Proposal, Reach};
use crate::spec::ClusterSpec;

/// `own`: who listens in this container; `others`: everybody else.
pub fn bootstrap(own: &Reach, others: &ClusterView, cluster: &ClusterSpec, me: NodeNumber, reason: &str) -> Proposal {
    let node = name(cluster, me);
    let refused = |because: String| (Outlook::Refused, because);
    let (outlook, because) = match (own, others.primary()) {
        (_, Some((primary, _))) => {
            refused(format!("{} is primary: {node} copies it by itself, nothing has to begin", name(cluster, primary)))
        }
        (Reach::Waiting(room), None) if room.is_empty_node() => {
            (Outlook::NeedsConsent, format!("{node} has no data and waits, and nobody is primary"))
        }
        (Reach::Waiting(room), None) => refused(format!("{node} is {}: the order is for a node without data", room.state)),
        (Reach::Serving(_) | Reach::Refused { .. } | Reach::NotYet { .. }, None) => {
            refused(format!("a server runs in {node}: the order is for a node without data"))
        }
        (Reach::Silent { reason } | Reach::Untrusted { reason }, None) => {
            refused(format!("no entrypoint waits in {node}: {reason}"))
        }
    };
    let (mut steps, mut warnings) = (Vec::new(), Vec::new());
    if outlook == Outlook::NeedsConsent {
        steps.push(format!("run initdb on {node}: an EMPTY cluster with a system identifier of its own"));
        steps.push(format!("write the reason into the epoch table and into repmgr.events: {reason}"));
        let empty = of_kind(others, Reach::is_empty_room);
        if !empty.is_empty() {
            steps.push(format!("{node} is copied by {}", names(cluster, &empty)));
        }
        warnings = losses(others, cluster);
    }
    let mut rows = vec![(node.to_owned(), super::words(own, others, cluster))];
    rows.extend(seen(cluster, others));
    rows.sort();
    spoken(cluster, Proposal { order: "bootstrap".into(), because, outlook, seen: rows, steps, warnings })
}

fn losses(others: &ClusterView, cluster: &ClusterSpec) -> Vec<String> {
    let holders = of_kind(others, |reach| !reach.is_silent() && !reach.is_empty_room());
    let silent = of_kind(others, Reach::is_silent);
    let mut warnings = Vec::new();
    if !holders.is_empty() {
        warnings.push(format!(
            "LOST for the cluster: the data of {}; they refuse to join until their volumes are emptied. If one of them is whole, \
             pgcluster promote --force --because TEXT keeps it",
            names(cluster, &holders)
        ));
    }
    if !silent.is_empty() {
        warnings.push(format!("LOST for the cluster: whatever {}, who did not answer, may hold", names(cluster, &silent)));
    }
    warnings
}

fn of_kind(others: &ClusterView, is_so: impl Fn(&Reach) -> bool) -> Vec<NodeNumber> {
    others.nodes.iter().filter(|(_, reach)| is_so(reach)).map(|(number, _)| *number).collect()
}
