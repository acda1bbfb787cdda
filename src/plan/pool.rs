//! What a pgpool must be told: its beliefs against one look at the nodes.
//!
//! A backend comes back only when it is seen to be the primary, or to stream from it. What is healthy is never taken out, and whether
//! anybody may promote plays no part: pgpool never does.

use std::time::Duration;

use crate::model::{Backend, BackendStatus, ClusterView, NodeNumber, NodeState, PoolView, Reach, Role};
use crate::plan::promotion::Need;

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
    /// pgpool has it up and sends the writes elsewhere, or nowhere. Look twice: a failover that is under way ends in just this.
    MakePrimary,
}

/// One judgement per node, the primary first: without it, pgpool's search after an attach finds nothing and holds clients up.
pub fn heal(belief: &PoolView, truth: &ClusterView) -> Vec<Judgement> {
    let judge = |number: NodeNumber| {
        let fitness = fitness(truth, number);
        let (verdict, because) = verdict(&fitness, belief.backend(number));
        (fitness, Judgement { number, verdict, because })
    };
    let mut judged: Vec<(Fitness, Judgement)> = truth.nodes.iter().map(|(number, _)| judge(*number)).collect();
    judged.sort_by_key(|(fitness, _)| *fitness != Fitness::Primary);
    if judged.iter().any(|(_, judgement)| judgement.verdict == Verdict::MakePrimary) {
        let in_use = |number| belief.backend(number).is_some_and(|backend| backend.status != BackendStatus::Unused);
        let follows = |(fitness, judgement): &&mut (Fitness, Judgement)| *fitness == Fitness::Standby && in_use(judgement.number);
        judged.iter_mut().filter(follows).for_each(|(_, judgement)| bring_along(judgement));
    }
    judged.into_iter().map(|(_, judgement)| judgement).collect()
}

/// Whether pgpool spoke of every node that serves, and nothing is to be said to it.
pub fn agrees(belief: &PoolView, truth: &ClusterView) -> bool {
    truth.serving().all(|(number, _)| belief.backend(number).is_some())
        && heal(belief, truth).iter().all(|judgement| judgement.verdict == Verdict::Leave)
}

/// pgpool takes every other backend out when it is told of a primary, whether they follow it or not
/// (`exec_follow_primary_command` in `src/main/pgpool_main.c`).
fn bring_along(standby: &mut Judgement) {
    standby.verdict = Verdict::Attach;
    standby.because = "it streams from the primary that pgpool is told of".into();
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

/// What becomes of the node that was primary when a session through pgpool broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterBreak {
    /// Nobody knows yet: look again.
    Wait,
    /// It is primary still.
    Leave,
    /// Somebody else is: pgpool needs not wait for a client to find out.
    GiveUp { primary: NodeNumber },
    /// Nobody is, and somebody may: nor needs an election wait for pgpool.
    Elect,
}

/// `need` as a promoter sees it, `was`: the primary before.
pub fn after_break(need: &Need, was: NodeNumber) -> AfterBreak {
    match need {
        Need::None { primary, .. } if *primary == was => AfterBreak::Leave,
        Need::None { primary, .. } => AfterBreak::GiveUp { primary: *primary },
        Need::Promote { .. } => AfterBreak::Elect,
        Need::Finish { .. } | Need::Lives { .. } | Need::Unclear { .. } => AfterBreak::Wait,
    }
}

/// Whom pgpool would like as primary after `was`, among equals: one that it has up, or all its clients would wait for an attachment; and
/// rather not its first node: when a primary dies that is its first node too, pgpool ends all its children, else only those with sessions
/// on it (`handle_failover_request` in pgpool_main.c).
pub fn successor(believed_up: &[NodeNumber], was: NodeNumber) -> Option<NodeNumber> {
    believed_up.iter().copied().filter(|number| *number != was).min_by_key(|number| (*number == NodeNumber(0), *number))
}

/// Nodes that do not answer and that pgpool has up, while the primary answers: so the network is there, and somebody stays in use.
pub fn silent_standbys(truth: &ClusterView, believed_up: &[NodeNumber]) -> Vec<NodeNumber> {
    match truth.primary() {
        None => Vec::new(),
        Some(_) => truth.silent().filter(|number| believed_up.contains(number)).collect(),
    }
}

/// A standby that pgpool has up and can do without for a moment.
pub fn dispensable(truth: &ClusterView, believed_up: &[NodeNumber]) -> Option<NodeNumber> {
    believed_up.iter().copied().filter(|number| fitness(truth, *number) == Fitness::Standby).max()
}

pub fn fitness_of_all(truth: &ClusterView) -> Vec<(NodeNumber, Fitness)> {
    truth.nodes.iter().map(|(number, _)| (*number, fitness(truth, *number))).collect()
}

/// Whether pgpool may use a node.
pub fn fitness(truth: &ClusterView, number: NodeNumber) -> Fitness {
    let unfit = |reason: &str| Fitness::Unfit(reason.to_owned());
    let state = match truth.reach(number) {
        None | Some(Reach::Silent { .. }) => return unfit("it does not answer"),
        Some(Reach::Waiting(room)) => return Fitness::Unfit(format!("it is {}", room.state)),
        Some(Reach::NotYet { reason }) => return Fitness::Unfit(reason.clone()),
        Some(Reach::Refused { reason }) => return Fitness::Unfit(format!("it refuses: {reason}")),
        Some(Reach::Untrusted { reason }) => return Fitness::Unfit(format!("it cannot be believed: {reason}")),
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
            Role::Standby => standby(truth, of, state),
        },
    }
}

fn standby(truth: &ClusterView, primary: NodeNumber, state: &NodeState) -> Fitness {
    match (&state.upstream, state.receiver_silent_ms) {
        (None, _) => Fitness::Unfit("it follows nobody".into()),
        (Some(host), _) if truth.named(host) != Some(primary) => {
            Fitness::Unfit(format!("it follows {host}, which is not the primary"))
        }
        (Some(_), None) => Fitness::Unfit("it does not stream from the primary".into()),
        (Some(_), Some(_)) => Fitness::Standby,
    }
}

/// Whether nobody is primary, and each node that a standby follows gives no answer at all: not even as one that starts or stops.
pub fn upstream_is_silent(truth: &ClusterView) -> bool {
    let upstreams: Vec<NodeNumber> = truth.serving().filter_map(|(_, state)| truth.named(state.upstream.as_deref()?)).collect();
    truth.primary().is_none()
        && !upstreams.is_empty()
        && upstreams.iter().all(|number| truth.silent().any(|silent| silent == *number))
}

/// Whether a node that is not fit yet is on its way, and does not say itself that it takes longer than `far`.
pub fn is_arriving(truth: &ClusterView, number: NodeNumber, far: Duration) -> bool {
    match truth.reach(number) {
        None | Some(Reach::Silent { .. } | Reach::Refused { .. } | Reach::Untrusted { .. }) => false,
        Some(Reach::NotYet { .. }) => true,
        // Whoever has no primary yet acts when it sees this one; a clone says how long it takes.
        Some(Reach::Waiting(room)) => room.eta_s().is_none_or(|eta_s| Duration::from_secs(eta_s) <= far),
        Some(Reach::Serving(state)) => {
            let upstream = truth.upstream_of(state);
            state.receiver_silent_ms.is_none() && upstream.is_some() && upstream == truth.primary().map(|(of, _)| of)
        }
    }
}

#[cfg(test)]
mod tests;
