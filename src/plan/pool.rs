//! What a pgpool must be told: its beliefs against one look at the nodes.
//!
//! A backend comes back only when it is seen to be the primary, or to stream from it. What is healthy is never taken out, and whether
//! anybody may promote plays no part: pgpool never does.

use std::time::Duration;

use crate::model::{Backend, BackendStatus, ClusterView, NodeNumber, NodeState, PoolView, Reach, Role};
use crate::spec::Node;

/// What the nodes say of one backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fitness {
    /// Takes the writes.
    Primary,
    /// Streams from that primary.
    Standby,
    /// Not to be used, and why.
    Unfit(String),
}

#[derive(Clone, Debug, PartialEq)]
#[must_use = "a verdict that nobody carries out is a bug"]
pub struct Judgement {
    pub number: NodeNumber,
    pub verdict: Verdict,
    pub because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Leave,
    /// Let pgpool use it again; pgpool then looks for the primary by itself.
    Attach,
    /// pgpool has it up and sends the writes elsewhere, or nowhere.
    MakePrimary,
}

/// One judgement per node, the primary first: without it, pgpool's search after an attach finds nothing and holds clients up.
pub fn heal(nodes: &[Node], belief: &PoolView, truth: &ClusterView) -> Vec<Judgement> {
    let mut judged: Vec<(Fitness, Judgement)> = nodes
        .iter()
        .map(|node| {
            let fitness = fitness(nodes, truth, node.number);
            let (verdict, because) = verdict(&fitness, belief.backend(node.number));
            (fitness, Judgement { number: node.number, verdict, because })
        })
        .collect();
    judged.sort_by_key(|(fitness, _)| *fitness != Fitness::Primary);
    judged.into_iter().map(|(_, judgement)| judgement).collect()
}

fn verdict(fitness: &Fitness, belief: Option<&Backend>) -> (Verdict, String) {
    use BackendStatus::{Down, Unused, Up, Waiting};
    let Some(backend) = belief else {
        return (Verdict::Leave, "pgpool did not say what it believes of it".into());
    };
    match (fitness, backend.status, backend.role) {
        (Fitness::Unfit(reason), Unused | Waiting | Up | Down, _) => (Verdict::Leave, reason.clone()),
        (Fitness::Primary | Fitness::Standby, Unused, _) => (Verdict::Leave, "pgpool was told not to use it".into()),
        (Fitness::Primary, Down, _) => (Verdict::Attach, "it is the primary, and pgpool has it down".into()),
        (Fitness::Standby, Down, _) => (Verdict::Attach, "it streams from the primary, and pgpool has it down".into()),
        (Fitness::Primary, Up | Waiting, Role::Standby) => {
            (Verdict::MakePrimary, "it is the primary, and pgpool does not know".into())
        }
        (Fitness::Primary, Up | Waiting, Role::Primary) => (Verdict::Leave, "up, and the primary".into()),
        (Fitness::Standby, Up | Waiting, _) => (Verdict::Leave, "up, and streaming".into()),
    }
}

/// Whether pgpool may use a node.
pub fn fitness(nodes: &[Node], truth: &ClusterView, number: NodeNumber) -> Fitness {
    let unfit = |reason: &str| Fitness::Unfit(reason.to_owned());
    let state = match truth.reach(number) {
        None | Some(Reach::Silent { .. }) => return unfit("it does not answer"),
        Some(Reach::Waiting(room)) => return Fitness::Unfit(format!("it is {}", room.state)),
        Some(Reach::NotYet { reason }) => return Fitness::Unfit(reason.clone()),
        Some(Reach::Refused { reason }) => return Fitness::Unfit(format!("it refuses: {reason}")),
        Some(Reach::Serving(state)) => state,
    };
    match truth.primary() {
        None => unfit("there is no primary to compare it with"),
        Some((_, primary)) if state.system_id != primary.system_id => {
            unfit("it belongs to another cluster: its system identifier differs from the primary's")
        }
        // Its standbys left it. It may not know yet, and no write that it takes is safe.
        Some((_, primary)) if primary.epoch() < truth.highest_promise() => Fitness::Unfit(format!(
            "a promotion to epoch {} is under way, and the only primary is of epoch {}",
            truth.highest_promise(),
            primary.epoch()
        )),
        Some((of, _)) => match state.role {
            Role::Primary if of == number => Fitness::Primary,
            Role::Primary => Fitness::Unfit(format!("it is writable, but node {of} reigns in a later epoch")),
            Role::Standby => standby(nodes, of, state),
        },
    }
}

fn standby(nodes: &[Node], primary: NodeNumber, state: &NodeState) -> Fitness {
    let is_primary = |host: &str| nodes.iter().any(|node| node.number == primary && node.host == host);
    match (&state.upstream, state.receiver_silent_ms) {
        (None, _) => Fitness::Unfit("it follows nobody".into()),
        (Some(host), _) if !is_primary(host) => Fitness::Unfit(format!("it follows {host}, which is not the primary")),
        (Some(_), None) => Fitness::Unfit("it does not stream from the primary".into()),
        (Some(_), Some(_)) => Fitness::Standby,
    }
}

/// Whether a node that is not fit yet will be in no more than `patience`, by its own words.
pub fn is_arriving(nodes: &[Node], truth: &ClusterView, number: NodeNumber, patience: Duration) -> bool {
    match truth.reach(number) {
        None | Some(Reach::Silent { .. } | Reach::Refused { .. }) => false,
        Some(Reach::NotYet { .. }) => true,
        // Whoever has no primary yet acts when it sees this one; a clone says how long it takes.
        Some(Reach::Waiting(room)) => room.eta_s().is_none_or(|eta_s| Duration::from_secs(eta_s) <= patience),
        Some(Reach::Serving(state)) => {
            let primary = truth.primary();
            let follows = |host: &String| primary.is_some_and(|(of, _)| nodes.iter().any(|n| n.number == of && n.host == *host));
            state.receiver_silent_ms.is_none() && state.upstream.as_ref().is_some_and(follows)
        }
    }
}

#[cfg(test)]
mod tests;
