//! `stop NAME`: one server ends, and its container brings it back.

use super::{name, outcome, seen, spoken};
use crate::model::{ClusterView, NodeNumber, NodeState, Outlook, Proposal, Reach, Role};
use crate::plan::forecast;
use crate::plan::promotion::Asker;
use crate::spec::{ClusterSpec, FailoverMode};

pub fn stop(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> Proposal {
    let stopped = name(cluster, number);
    let is_primary = view.primary().is_some_and(|(primary, _)| primary == number);
    let (outlook, because) = match view.reach(number) {
        Some(Reach::Serving(_)) if is_primary => (Outlook::NeedsConsent, format!("{stopped} is the primary")),
        Some(Reach::Serving(state)) => (Outlook::NeedsConsent, format!("{stopped} is a {}", role(state))),
        Some(Reach::Waiting(room)) => (Outlook::Nothing, format!("no server runs there: it is {}", room.state)),
        Some(Reach::NotYet { reason }) => (Outlook::Refused, format!("its server starts or stops: {reason}")),
        Some(Reach::Silent { reason } | Reach::Refused { reason } | Reach::Untrusted { reason }) => {
            (Outlook::Refused, format!("{stopped} cannot be stopped from here: {reason}"))
        }
        None => (Outlook::Refused, format!("{stopped} was not asked")),
    };
    let (mut steps, mut warnings) = (Vec::new(), Vec::new());
    if outlook == Outlook::NeedsConsent {
        steps.push(format!("end {stopped}'s server (fast shutdown): all sessions on it end"));
        if is_primary {
            steps.push(what_follows(view, cluster, number));
            warnings
                .push(format!("`pgcluster switchover` hands over first; {stopped} in step loses nothing, and writers wait less"));
        } else {
            warnings.extend(acknowledgements(view, cluster, number));
        }
        steps.push(format!("{stopped}'s container starts again by its restart policy: {}", comes_back(view, cluster, number)));
        warnings.push(format!("to keep it down: `docker compose stop {stopped}`"));
    }
    spoken(cluster, Proposal { order: format!("stop {stopped}"), because, outlook, seen: seen(cluster, view), steps, warnings })
}

fn role(state: &NodeState) -> &'static str {
    match state.role {
        Role::Primary => "primary of an earlier reign",
        Role::Standby => "standby",
    }
}

/// After the end of a primary.
fn what_follows(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> String {
    match cluster.failover {
        FailoverMode::Auto => {
            outcome(cluster, &forecast::promotion(&forecast::without(view, number), cluster, Asker::Machine, None))
        }
        FailoverMode::Manual => "nobody is promoted (FAILOVER_MODE=manual): no writes until it is back".into(),
        FailoverMode::Repmgrd => "a failover, if repmgrd runs (FAILOVER_MODE=repmgrd)".into(),
    }
}

fn comes_back(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> String {
    match view.primary() {
        Some((primary, _)) if primary == number => "it follows the new primary, or resumes if nobody was promoted".into(),
        Some(_) | None => match forecast::restart(view, cluster, number) {
            Some(plan) => format!("{} ({})", plan.verdict, plan.because),
            None => "its start decides".into(),
        },
    }
}

/// Commits that would wait.
fn acknowledgements(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> Option<String> {
    let (primary, _) = view.primary()?;
    let streams = |state: &NodeState| view.upstream_of(state) == Some(primary) && state.receiver_silent_ms.is_some();
    let left = view.serving().filter(|(other, state)| *other != number && streams(state)).count();
    let needed = cluster.quorum().acks;
    (left < needed).then(|| format!("commits WAIT until it is back: {left} standbys are left to acknowledge, {needed} must"))
}
