//! Who becomes primary, and whether anybody may: the decisions of a promotion, each over facts that were just read.
//!
//! The steps between them (locks, freezing, promoting) are in `act::promote`. The order of decisions is: `need`, `electorate`,
//! `still_needed`, `next_epoch`, `candidate`. Speed never buys safety here: a promotion that nobody needed costs a pause, a wrong one
//! costs data.

use crate::model::{ClusterView, Epoch, NodeNumber, NodeState, Quorum, Rank, Reach, Role, SystemId};

/// A message from the primary that is younger than this proves that it lives. A WAL receiver asks for a sign of life after half of
/// `wal_receiver_timeout` (5 s), so a living primary is never silent for longer.
pub const SIGN_OF_LIFE_MS: u64 = 3000;

/// Whether to promote at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// There is a primary: nothing to promote, its followers may need repair.
    None {
        primary: NodeNumber,
        because: String,
    },
    /// A promoter died after its last order: the node is primary, only the row of its reign is missing.
    Finish {
        primary: NodeNumber,
        epoch: Epoch,
    },
    /// The old primary shows a sign of life, whatever pgpool thinks.
    Lives {
        because: String,
    },
    /// Ask again in a moment.
    Unclear {
        because: String,
    },
    Promote {
        because: String,
    },
}

/// `asking_ms`: how long this promoter has been asking; a message that arrived since then is a sign of life for sure.
pub fn need(view: &ClusterView, asking_ms: u64) -> Need {
    if view.system().is_none() && view.serving().next().is_some() {
        return Need::Unclear { because: "servers of several systems answer, and none of these has more than another".into() };
    }
    let promise = view.highest_promise();
    if let Some((primary, state)) = view.primary() {
        // A primary's own promise comes from the promotion that made it one.
        return match state.epoch() >= promise {
            false if state.promised_epoch >= promise => Need::Finish { primary, epoch: state.promised_epoch },
            true => Need::None { primary, because: format!("node {primary} is primary of epoch {}", state.epoch()) },
            false => Need::Lives {
                because: format!(
                    "node {primary} is primary of epoch {}, though epoch {promise} was promised: its own health check ends it",
                    state.epoch()
                ),
            },
        };
    }
    if let Some((number, Reach::Refused { reason })) = view.nodes.iter().find(|(_, reach)| matches!(reach, Reach::Refused { .. }))
    {
        return Need::Lives { because: format!("node {number} answers, if only: {reason}") };
    }
    if let Some((number, reason)) = untrusted_upstream(view) {
        return Need::Lives {
            because: format!("node {number}, which the standbys follow, answers, and cannot be believed: {reason}"),
        };
    }
    let heard = view
        .serving()
        .filter(|(_, state)| !streams_from_standby(state, view))
        .filter_map(|(number, state)| Some((number, state.receiver_silent_ms?)));
    match heard.min_by_key(|(_, silent_ms)| *silent_ms) {
        Some((number, silent_ms)) if silent_ms < asking_ms => {
            Need::Lives { because: format!("node {number} heard from the primary {silent_ms} ms ago, after the alarm") }
        }
        Some((number, silent_ms)) if silent_ms < SIGN_OF_LIFE_MS => {
            Need::Unclear { because: format!("node {number} heard from the primary {silent_ms} ms ago") }
        }
        Some(_) | None => Need::Promote { because: "nobody is primary, and no standby hears from one".into() },
    }
}

/// Whether to promote still, now that standbys were read again under their locks. The primary may be back since the look: without
/// synchronous replication it acknowledges commits from then on that a promotion would cut off.
pub fn still_needed<'a>(view: &ClusterView, locked: impl Iterator<Item = (NodeNumber, &'a NodeState)>) -> Result<(), String> {
    let now = locked.fold(view.clone(), |view, (number, state)| view.with(number, state));
    match need(&now, 0) {
        Need::Promote { .. } => Ok(()),
        Need::Finish { primary, .. } => Err(format!("node {primary} was promoted meanwhile")),
        Need::None { because, .. } | Need::Lives { because } | Need::Unclear { because } => Err(because),
    }
}

/// Whether those who are still silent may be left out: nobody will be promoted, because somebody is primary, or enough can be frozen.
/// Where one standby is enough, by force, whoever answers late may hold more.
pub fn knows_enough(view: &ClusterView, quorum: Quorum, asker: Asker) -> bool {
    let standbys = view.serving().filter(|(_, state)| state.role == Role::Standby).count();
    let is_settled = view.primary().is_some_and(|(_, state)| state.epoch() >= view.highest_promise());
    is_settled || (asker != Asker::Forced && standbys >= quorum.promotion)
}

/// After a promoter died between pointing the followers and promoting, they stream from a standby: no sign of a living primary.
fn streams_from_standby(state: &NodeState, view: &ClusterView) -> bool {
    let upstream = view.upstream_of(state).and_then(|number| view.reach(number)?.serving());
    upstream.is_some_and(|up| up.role == Role::Standby)
}

/// The silent node that the standbys call their upstream and pgpool believes to be up, while nobody is primary.
pub fn frozen_primary(view: &ClusterView, believed_up: &[NodeNumber]) -> Option<NodeNumber> {
    if view.primary().is_some() {
        return None;
    }
    view.silent().find(|number| believed_up.contains(number) && is_upstream(view, *number))
}

/// Whoever the standbys follow may be the living primary, and why it cannot be believed. Of the others a wrong certificate alone must
/// not forbid a promotion.
pub fn untrusted_upstream(view: &ClusterView) -> Option<(NodeNumber, &str)> {
    view.untrusted().find(|(number, _)| is_upstream(view, *number))
}

/// Whether a standby points at this node.
fn is_upstream(view: &ClusterView, number: NodeNumber) -> bool {
    view.serving().any(|(_, state)| view.upstream_of(state) == Some(number))
}

/// The standbys that a promotion locks and freezes, in node order, or why there are too few.
pub fn electorate(view: &ClusterView, quorum: Quorum, asker: Asker) -> Result<Vec<NodeNumber>, String> {
    let standbys: Vec<(NodeNumber, &NodeState)> = view.serving().filter(|(_, state)| state.role == Role::Standby).collect();
    let Some(system_id) = common_system(&standbys) else {
        return Err("no standby answers".into());
    };
    let mut members: Vec<(NodeNumber, &NodeState)> =
        standbys.into_iter().filter(|(_, state)| state.system_id == system_id).collect();
    members.sort_by_key(|(number, _)| *number);
    enough(members.len(), quorum)?;
    let is_without_data = |reach: &Reach| matches!(reach, Reach::Waiting(room) if room.is_without_data());
    if let ([(number, only)], 2) = (members.as_slice(), quorum.nodes)
        && only.upstream.is_none()
        && asker != Asker::Forced
        && !view.nodes.iter().any(|(_, reach)| is_without_data(reach))
    {
        return Err(format!("node {number} is alone and has no upstream: with two nodes it may have missed the last reign"));
    }
    Ok(members.into_iter().map(|(number, _)| number).collect())
}

/// The system identifier that most standbys have; of the lowest number if they are even.
fn common_system(standbys: &[(NodeNumber, &NodeState)]) -> Option<SystemId> {
    let votes = |id: SystemId| standbys.iter().filter(|(_, state)| state.system_id == id).count();
    let mut best: Option<SystemId> = None;
    for (_, state) in standbys {
        if best.is_none_or(|id| votes(state.system_id) > votes(id)) {
            best = Some(state.system_id);
        }
    }
    best
}

/// Whether `standbys` locked or frozen standbys suffice.
pub fn enough(standbys: usize, quorum: Quorum) -> Result<(), String> {
    match standbys >= quorum.promotion {
        true => Ok(()),
        false => {
            Err(format!("{standbys} of {} nodes are standbys that can be frozen, {} are needed", quorum.nodes, quorum.promotion))
        }
    }
}

/// The epoch of the new reign: above everything that any of the locked standbys promised or holds.
pub fn next_epoch<'a>(locked: impl Iterator<Item = &'a NodeState>) -> Epoch {
    locked.map(|state| state.promised_epoch.max(state.epoch())).max().unwrap_or(Epoch(0)).next()
}

/// A standby whose WAL receiver is gone and whose replay has reached the end of what it received.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    pub number: NodeNumber,
    pub rank: Rank,
    /// As it is now that nothing more arrives.
    pub state: NodeState,
    pub fitness: Fitness,
    /// Heard from the old primary shortly before its end; asynchronous automatic promotions ask for it.
    pub recent: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitness {
    Fit,
    /// `DISALLOW_TO_FAILOVER`.
    Disallowed,
    /// Replay stands still because a parameter is smaller than on the primary: a promotion would end the server.
    Paused,
}

/// Who asks for the promotion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// pgpool, a start or a health check.
    Machine,
    /// `pgcluster promote`: a person answers for it.
    Person,
    /// `pgcluster promote --force`: a person takes it upon himself that acknowledged commits may be lost.
    Forced,
}

impl Asker {
    fn accepts(self, fitness: Fitness) -> bool {
        match (self, fitness) {
            (_, Fitness::Fit) | (Asker::Forced, Fitness::Disallowed) => true,
            (_, Fitness::Paused) | (Asker::Machine | Asker::Person, Fitness::Disallowed) => false,
        }
    }
}

/// How many standbys this asker needs.
pub fn needed(quorum: Quorum, asker: Asker) -> Quorum {
    match asker {
        Asker::Machine | Asker::Person => quorum,
        Asker::Forced => Quorum { promotion: 1, ..quorum },
    }
}

/// Without synchronous replication a machine promotes a standby that kept up with the primary, or the furthest of all nodes: where nobody
/// is missing, nothing is. Asked before anybody is frozen: a promotion that is refused afterwards costs the former primary its votes.
pub fn may_know_all<'a>(locked: impl Iterator<Item = &'a NodeState>, asker: Asker, quorum: Quorum) -> Result<(), String> {
    let recent: Vec<bool> = locked.map(|state| state.heard_recently).collect();
    match asker {
        Asker::Machine if quorum.acks == 0 && recent.len() < quorum.nodes && !recent.contains(&true) => Err(format!(
            "none of {} standbys had heard from the primary in the 60 s before its end: without synchronous replication they may lack much; pgcluster promote --because TEXT decides",
            recent.len()
        )),
        Asker::Machine | Asker::Person | Asker::Forced => Ok(()),
    }
}

/// The frozen standby that holds the most, among those that may. Ties: the preferred one, then the lowest number.
pub fn candidate(frozen: &[Frozen], asker: Asker, preferred: Option<NodeNumber>, quorum: Quorum) -> Result<NodeNumber, String> {
    let order = |node: &&Frozen| (node.rank, Some(node.number) == preferred, std::cmp::Reverse(node.number));
    let Some(furthest) = frozen.iter().max_by_key(order) else {
        return Err("no standby is frozen".into());
    };
    let Some(best) = frozen.iter().filter(|node| asker.accepts(node.fitness)).max_by_key(order) else {
        return Err("no standby may be promoted: each is DISALLOW_TO_FAILOVER or paused by too small parameters".into());
    };
    if best.rank < furthest.rank && asker != Asker::Forced {
        return Err(format!(
            "node {} holds more than node {}, and may not be promoted ({:?}): commits could be lost",
            furthest.number, best.number, furthest.fitness
        ));
    }
    if asker == Asker::Machine && quorum.acks == 0 && frozen.len() < quorum.nodes && !best.recent {
        return Err(format!(
            "node {} had not heard from the primary for more than 60 s before its end: without synchronous replication it may lack much; pgcluster promote --because TEXT decides",
            best.number
        ));
    }
    Ok(best.number)
}

/// The other frozen standbys whose data is a prefix of the candidate's. A parked primary may hold commits of its own: PostgreSQL lets
/// it stream all the same, and takes its position for an acknowledgement. It stays frozen until its restart rewinds it.
pub fn followers(frozen: &[Frozen], candidate: NodeNumber) -> Vec<NodeNumber> {
    let Some(chosen) = frozen.iter().find(|node| node.number == candidate) else { return Vec::new() };
    let is_prefix =
        |node: &&Frozen| node.rank <= chosen.rank && chosen.state.contains(&node.state.history, node.rank.lsn, node.state.reign);
    frozen.iter().filter(|node| node.number != candidate).filter(is_prefix).map(|node| node.number).collect()
}

#[cfg(test)]
mod tests;
