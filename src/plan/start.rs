//! What a postgres node becomes at its start: a total function of its own data and one look at the others.
//!
//! Undecided is an answer: `Wait`. Refusing costs availability; guessing costs data.

use std::fmt;
use std::time::Duration;

use crate::model::{ClusterView, Epoch, NodeName, NodeNumber, NodeState, OwnData, OwnNode, Quorum, Reach, Role, WalEnd};

/// How long a decision that more answers could change is put off.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long a clone over an empty volume waits for nodes that do not answer.
pub const CONFIRM_PATIENCE: Duration = Duration::from_secs(30);

/// Two segments: with less a server ends at its first checkpoint, and the restart policy starts it again and again.
pub const WAL_ROOM: u64 = 32 << 20;

#[derive(Clone, Debug)]
pub struct StartFacts<'a> {
    pub me: &'a Me,
    pub own: &'a OwnData,
    /// The other nodes; this one is not in it.
    pub others: &'a ClusterView,
    /// Since this container began to decide.
    pub waited: Duration,
    pub order: Order,
}

/// Where else a standby finds WAL that its primary no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    None,
    /// `ARCHIVE_DIR`
    Shared,
}

/// Who decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Me {
    pub number: NodeNumber,
    pub name: NodeName,
    /// As the others name it in `primary_conninfo`.
    pub host: String,
    pub quorum: Quorum,
    pub bootstrap: NodeNumber,
    pub archive: Archive,
}

/// An operator's explicit order, with a reason that was logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    None,
    /// `pgcluster bootstrap --because …`
    Bootstrap {
        because: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
#[must_use = "a verdict that nobody carries out is a bug"]
pub struct StartPlan {
    pub verdict: Verdict,
    /// Logged, shown in the waiting room, and compared by tests.
    pub because: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Initdb,
    /// Copy everything from this primary; old data is kept beside until this node streams.
    Clone {
        from: NodeNumber,
        epoch: Epoch,
    },
    /// Stream from this primary in place.
    Follow {
        upstream: NodeNumber,
        epoch: Epoch,
    },
    /// pg_rewind against this primary, else copy beside and swap; then follow.
    Rewind {
        from: NodeNumber,
        epoch: Epoch,
    },
    /// Start as standby with the upstream pointer it had.
    Standby,
    /// Start as primary again.
    Resume,
    /// Start as read-only standby without upstream, visible to an election.
    Park,
    /// Ask again in a moment.
    Wait,
    /// Exit with an error, nothing touched.
    Refuse,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Initdb => f.write_str("initdb"),
            Verdict::Clone { from, .. } => write!(f, "clone from node {from}"),
            Verdict::Follow { upstream, .. } => write!(f, "follow node {upstream}"),
            Verdict::Rewind { from, .. } => write!(f, "rewind onto node {from}"),
            Verdict::Resume => f.write_str("resume as primary"),
            Verdict::Standby => f.write_str("start as standby"),
            Verdict::Park => f.write_str("park"),
            Verdict::Wait => f.write_str("wait"),
            Verdict::Refuse => f.write_str("refuse"),
        }
    }
}

/// Decides. The arms follow the table of the design, top to bottom.
pub fn start(facts: &StartFacts) -> StartPlan {
    match (facts.own, primary_for(facts.own, facts.others)) {
        (OwnData::None, Some((from, primary))) => clone_or_wait(facts, from, primary),
        (OwnData::None, None) => initdb_or_wait(facts),
        (OwnData::Unfinished { promised_epoch }, Some((from, primary))) if primary.epoch() >= *promised_epoch => plan(
            Verdict::Clone { from, epoch: primary.own_reign() },
            format!("a rewind was interrupted here, and node {from} is primary of epoch {}", primary.epoch()),
        ),
        (OwnData::Unfinished { .. }, _) => {
            plan(Verdict::Wait, "a rewind was interrupted here: this is no data any more, waiting for a primary to copy")
        }
        (OwnData::Valid(own), Some((_, primary))) if own.system_id != primary.system_id => refuse_foreign(own, primary),
        (OwnData::Valid(own), Some((from, primary))) if primary.epoch() >= own.promised_epoch => {
            follow_or_rewind(facts, own, from, primary)
        }
        (OwnData::Valid(own), Some((_, primary))) => park_or_wait(
            facts,
            format!(
                "the only primary reigns in epoch {}, and this node has promised epoch {}: an older reign is never followed",
                primary.epoch(),
                own.promised_epoch
            ),
        ),
        (OwnData::Valid(own), None) if is_among_strangers(facts, own) => refuse_strangers(own),
        (OwnData::Valid(own), None) => match own.role {
            Role::Standby => {
                plan(Verdict::Standby, "this node was a standby and nobody is primary: it keeps the upstream it had")
            }
            Role::Primary => resume_or_park(facts, own),
        },
    }
}

/// The primary of one's own system goes before any other; without data, the one of most servers counts.
fn primary_for<'a>(own: &OwnData, others: &'a ClusterView) -> Option<(NodeNumber, &'a NodeState)> {
    match own {
        OwnData::Valid(own) => others.primary_of(own.system_id).or_else(|| others.primary()),
        OwnData::None | OwnData::Unfinished { .. } => others.primary(),
    }
}

fn plan(verdict: Verdict, because: impl Into<String>) -> StartPlan {
    StartPlan { verdict, because: because.into() }
}

fn clone_or_wait(facts: &StartFacts, from: NodeNumber, primary: &NodeState) -> StartPlan {
    let promise = facts.others.highest_promise();
    let tells = |reach: &Reach| match reach {
        Reach::Serving(_) | Reach::Waiting(_) => true,
        // A server that starts, one that refuses and one that cannot be believed do not tell what they promised either.
        Reach::Silent { .. } | Reach::NotYet { .. } | Reach::Refused { .. } | Reach::Untrusted { .. } => false,
    };
    let silent = numbers(facts.others.nodes.iter().filter(|(_, reach)| !tells(reach)).map(|(number, _)| *number));
    if promise > primary.epoch() {
        plan(
            Verdict::Wait,
            format!(
                "node {from} is primary of epoch {}, but epoch {promise} was promised: its reign may be over, nothing is copied from it",
                primary.epoch()
            ),
        )
    } else if silent.is_empty() {
        plan(
            Verdict::Clone { from, epoch: primary.own_reign() },
            format!("no data here, and node {from} is primary of epoch {}", primary.epoch()),
        )
    } else if facts.waited >= CONFIRM_PATIENCE {
        plan(
            Verdict::Clone { from, epoch: primary.own_reign() },
            format!(
                "no data here, and node {from} is the only primary seen in {} s (no answer from {silent})",
                CONFIRM_PATIENCE.as_secs()
            ),
        )
    } else {
        plan(Verdict::Wait, format!("node {from} is primary; waiting for {silent} to confirm it before copying"))
    }
}

fn initdb_or_wait(facts: &StartFacts) -> StartPlan {
    let Me { number, bootstrap, quorum, .. } = facts.me;
    let occupied = numbers(facts.others.nodes.iter().filter(|(_, r)| !r.is_silent() && !r.is_empty_room()).map(|(n, _)| *n));
    let silent = numbers(facts.others.silent());
    let untrusted = facts.others.untrusted().next();
    if let Order::Bootstrap { because } = &facts.order {
        plan(Verdict::Initdb, format!("an operator ordered the bootstrap on this node: {because}"))
    } else if quorum.nodes == 1 {
        plan(Verdict::Initdb, "no data here, and this is the only node")
    } else if let Some((number, reason)) = untrusted {
        plan(Verdict::Wait, format!("no data here, and node {number}, which may have it, cannot be believed: {reason}"))
    } else if !occupied.is_empty() {
        plan(Verdict::Wait, format!("no data here; {occupied} may have it and no primary is up: waiting for one"))
    } else if !silent.is_empty() {
        plan(
            Verdict::Wait,
            format!(
                "no data here, and no answer from {silent}, which may have it; if it is lost for good: pgcluster bootstrap --because TEXT in the container of one node"
            ),
        )
    } else if number == bootstrap {
        plan(Verdict::Initdb, "every node answered that it is empty, and this is the bootstrap node")
    } else {
        plan(Verdict::Wait, format!("every node is empty; node {bootstrap} is the bootstrap node and begins"))
    }
}

fn refuse_foreign(own: &OwnNode, primary: &NodeState) -> StartPlan {
    plan(
        Verdict::Refuse,
        format!(
            "the data here belongs to another cluster: system identifier {} here, {} on the primary; mount the right volume, or an empty one to copy the cluster",
            own.system_id, primary.system_id
        ),
    )
}

fn is_among_strangers(facts: &StartFacts, own: &OwnNode) -> bool {
    let mut serving = facts.others.serving().peekable();
    serving.peek().is_some() && serving.all(|(_, state)| state.system_id != own.system_id)
}

fn refuse_strangers(own: &OwnNode) -> StartPlan {
    plan(
        Verdict::Refuse,
        format!(
            "every node that answers has another system identifier than the data here ({}): mount the right volume",
            own.system_id
        ),
    )
}

fn follow_or_rewind(facts: &StartFacts, own: &OwnNode, from: NodeNumber, primary: &NodeState) -> StartPlan {
    let epoch = primary.own_reign();
    match divergence(own, primary) {
        None if primary.wal_from > Some(own.wal_end.lsn()) && facts.me.archive == Archive::None => plan(
            Verdict::Clone { from, epoch },
            format!("node {from} is primary of epoch {epoch}, and no longer has the WAL after {}", own.wal_end.lsn()),
        ),
        None => plan(
            Verdict::Follow { upstream: from, epoch },
            format!("node {from} is primary of epoch {epoch} and the data here is a prefix of its history"),
        ),
        Some(how) if own.role == Role::Primary && epoch == own.promised_epoch && facts.waited < PATIENCE => {
            plan(Verdict::Wait, format!("node {from} claims this node's own epoch {epoch}: {how}"))
        }
        // pg_rewind compares timelines by number: on the same one, or a twin, it finds nothing to rewind.
        Some(how) if own.timeline == primary.timeline || !primary.knows(own.reign) => {
            plan(Verdict::Clone { from, epoch }, format!("node {from} is primary of epoch {epoch}, but {how}"))
        }
        Some(how) => plan(Verdict::Rewind { from, epoch }, format!("node {from} is primary of epoch {epoch}, but {how}")),
    }
}

/// Why the node cannot simply stream from the primary; none when its history is a prefix of the primary's.
pub fn divergence(own: &OwnNode, primary: &NodeState) -> Option<String> {
    let wal_end = match own.wal_end {
        WalEnd::At(lsn) => lsn,
        WalEnd::Lost(at) => return Some(format!("its WAL is gone here: the last checkpoint, at {at}, cannot be read")),
    };
    if !primary.knows(own.reign) {
        return Some(format!("the data here comes from reign {}, which is not in the primary's history", own.reign));
    }
    if own.timeline > primary.timeline {
        return Some(format!("the data here is on timeline {}, the primary's on {}", own.timeline, primary.timeline));
    }
    if own.timeline == primary.timeline {
        let same_past = own.history == primary.history;
        return match own.role {
            _ if !same_past => Some(format!("timeline {} began at another point here than on the primary", own.timeline)),
            Role::Primary => Some(format!("this node was itself the primary of timeline {}", own.timeline)),
            Role::Standby if wal_end > primary.lsn => {
                Some(format!("the WAL here ends at {}, beyond the primary's end {}", wal_end, primary.lsn))
            }
            Role::Standby => None,
        };
    }
    match primary.history.fork_of(own.timeline) {
        None => Some(format!("timeline {} is not in the primary's history", own.timeline)),
        Some(fork) if wal_end > fork => {
            Some(format!("the WAL here ends at {}, after timeline {} was left at {fork}", wal_end, own.timeline))
        }
        Some(_) if !primary.history.contains(&own.history, wal_end) => {
            Some(format!("timeline {} began at another point here than on the primary", own.timeline))
        }
        Some(_) => None,
    }
}

fn resume_or_park(facts: &StartFacts, own: &OwnNode) -> StartPlan {
    let Me { quorum, host, .. } = facts.me;
    let ahead = facts.others.serving().find(|(_, state)| is_ahead(state, own));
    let naming = facts.others.serving().filter(|(_, state)| names_me(state, host, own)).count() + 1;
    match ahead {
        Some((number, _)) => park_or_wait(facts, format!("node {number} holds data of a later reign than this former primary")),
        None if naming >= quorum.resume => plan(
            Verdict::Resume,
            format!(
                "this node was primary, nobody else is, and {naming} of {} nodes name it (needed: {})",
                quorum.nodes, quorum.resume
            ),
        ),
        // A standalone node that grows into a cluster, or the only volume that was not lost.
        None if facts.others.nodes.iter().all(|(_, reach)| reach.is_empty_room()) => {
            plan(Verdict::Resume, "this node was primary, and every other node answered that it is empty: nobody holds more")
        }
        None => park_or_wait(
            facts,
            format!("this node was primary, but only {naming} of {} nodes name it (needed: {})", quorum.nodes, quorum.resume),
        ),
    }
}

/// A standby that votes for me: same system, points at me, promised exactly my epoch.
fn names_me(state: &NodeState, host: &str, own: &OwnNode) -> bool {
    state.system_id == own.system_id && state.upstream.as_deref() == Some(host) && state.promised_epoch == own.promised_epoch
}

fn is_ahead(state: &NodeState, own: &OwnNode) -> bool {
    state.system_id == own.system_id
        && (state.promised_epoch > own.promised_epoch
            || state.epoch() > own.promised_epoch
            || (state.timeline, state.lsn) > (own.timeline, own.wal_end.lsn()))
}

fn park_or_wait(facts: &StartFacts, because: String) -> StartPlan {
    match facts.waited >= PATIENCE {
        true => plan(Verdict::Park, because),
        false => plan(Verdict::Wait, because),
    }
}

fn numbers(list: impl Iterator<Item = NodeNumber>) -> String {
    let list: Vec<String> = list.map(|n| n.to_string()).collect();
    match list.len() {
        0 => String::new(),
        1 => format!("node {}", list[0]),
        _ => format!("nodes {}", list.join(", ")),
    }
}

/// The plan, unless it starts a server on a disk that is full; `free`: bytes on the volume of its WAL.
pub fn with_room(plan: StartPlan, free: u64) -> StartPlan {
    use Verdict::{Clone, Follow, Initdb, Park, Refuse, Resume, Rewind, Standby, Wait};
    match plan.verdict {
        Follow { .. } | Standby | Resume | Park if free < WAL_ROOM => StartPlan {
            verdict: Wait,
            because: format!(
                "the disk is full: {} MB are free for WAL, {} are needed; make room, and this node goes on by itself ({})",
                free >> 20,
                WAL_ROOM >> 20,
                plan.verdict
            ),
        },
        // A copy and a rewind ask for the room that they need.
        Follow { .. } | Standby | Resume | Park | Initdb | Clone { .. } | Rewind { .. } | Wait | Refuse => plan,
    }
}

/// Whether the end of this node's WAL decides anything, so that reading it is worth the time.
pub fn needs_wal_end(own: &OwnNode, others: &ClusterView) -> bool {
    match others.primary_of(own.system_id) {
        Some((_, primary)) => own.timeline <= primary.timeline,
        None => own.role == Role::Primary && others.nodes.iter().any(|(_, reach)| matches!(reach, Reach::Serving(_))),
    }
}

#[cfg(test)]
mod tests;
