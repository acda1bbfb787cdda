//! `pause` and `resume` of automatic failover.

use super::{name, seen, spoken};
use crate::model::{ClusterView, Outlook, Proposal};
use crate::spec::{ClusterSpec, FailoverMode};

pub fn pause(view: &ClusterView, cluster: &ClusterSpec, owner: &str, reason: &str) -> Proposal {
    let (outlook, because) = on_the_primary(view, cluster);
    let replaced = view.paused().map(|paused| format!("replaces the order of {paused}"));
    spoken(
        cluster,
        Proposal {
            order: "pause".into(),
            because,
            outlook,
            seen: seen(cluster, view),
            steps: match outlook {
                Outlook::NeedsConsent => {
                    vec![format!("until `pgcluster resume` no node is promoted automatically, whoever dies ({owner}: {reason})")]
                }
                Outlook::Nothing | Outlook::Harmless | Outlook::Refused => Vec::new(),
            },
            warnings: replaced.into_iter().chain(mode(cluster)).collect(),
        },
    )
}

pub fn resume(view: &ClusterView, cluster: &ClusterSpec) -> Proposal {
    let (outlook, primary) = on_the_primary(view, cluster);
    let (outlook, because) = match (outlook, view.paused()) {
        (Outlook::NeedsConsent, None) => (Outlook::Nothing, format!("it was not paused; {primary}")),
        (Outlook::NeedsConsent, Some(paused)) => (Outlook::NeedsConsent, format!("paused by {paused}; {primary}")),
        (other, _) => (other, primary),
    };
    let steps = match outlook {
        Outlook::NeedsConsent => vec!["a primary that is lost is replaced automatically again".into()],
        Outlook::Nothing | Outlook::Harmless | Outlook::Refused => Vec::new(),
    };
    spoken(
        cluster,
        Proposal {
            order: "resume".into(),
            because,
            outlook,
            seen: seen(cluster, view),
            steps,
            warnings: mode(cluster).into_iter().collect(),
        },
    )
}

/// The order is a row: it needs a primary that writes it.
fn on_the_primary(view: &ClusterView, cluster: &ClusterSpec) -> (Outlook, String) {
    match view.primary() {
        Some((primary, state)) => {
            (Outlook::NeedsConsent, format!("{} is primary of epoch {}", name(cluster, primary), state.epoch()))
        }
        None => {
            (Outlook::Refused, "nobody is primary, and the order is a row: pgcluster promote --because TEXT makes one".into())
        }
    }
}

fn mode(cluster: &ClusterSpec) -> Option<String> {
    match cluster.failover {
        FailoverMode::Auto => None,
        FailoverMode::Manual => Some("FAILOVER_MODE=manual: nobody is promoted automatically anyway".into()),
        FailoverMode::Repmgrd => Some("FAILOVER_MODE=repmgrd: repmgrd does not ask for this order".into()),
    }
}
