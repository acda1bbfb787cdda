//! What would come of it, said before anything is done: the decisions of a promotion and of a start, over one look and nothing else.
//!
//! The deed looks again and decides by what it then finds: a forecast binds nobody.

use crate::model::{
    ClusterView, Epoch, NodeNumber, NodeState, OwnData, OwnNode, Quorum, Rank, Reach, Role, RoomState, Stopped, WalEnd,
};
use crate::plan::promotion::{self, Asker, Fitness, Frozen, Need};
use crate::plan::start::{Archive, CONFIRM_PATIENCE, Me, Order, StartFacts, StartPlan, start};
use crate::spec::{BackendFlag, ClusterSpec};

/// What a promotion would come to.
#[derive(Clone, Debug, PartialEq)]
pub enum Forecast {
    /// Somebody is primary.
    Nothing {
        primary: NodeNumber,
        because: String,
    },
    /// The row of a reign that began is missing.
    Finish {
        primary: NodeNumber,
        epoch: Epoch,
    },
    Promote(Election),
    /// A sign of life is too young: it would ask again.
    Unclear {
        because: String,
    },
    /// Not as things are now.
    No {
        because: String,
    },
}

/// Who would be promoted, and what becomes of the others that were frozen for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Election {
    pub because: String,
    pub epoch: Epoch,
    pub candidate: NodeNumber,
    pub rank: Rank,
    /// Pointed at the candidate at once.
    pub followers: Vec<NodeNumber>,
    /// Frozen too, with data of their own: they come back by a restart.
    pub left: Vec<NodeNumber>,
}

/// The decisions in the order of `act::promote`: need, electorate, may_know_all, candidate.
/// `preferred`: among equals.
pub fn promotion(view: &ClusterView, cluster: &ClusterSpec, asker: Asker, preferred: Option<NodeNumber>) -> Forecast {
    match promotion::need(view, 0) {
        Need::None { primary, because } => Forecast::Nothing { primary, because },
        Need::Finish { primary, epoch } => Forecast::Finish { primary, epoch },
        Need::Lives { because } => Forecast::No { because },
        Need::Unclear { because } => Forecast::Unclear { because },
        Need::Promote { because } => match (asker, view.paused()) {
            (Asker::Machine, Some(who)) => {
                Forecast::No { because: format!("{because}, but automatic failover is paused by {who}") }
            }
            (Asker::Machine | Asker::Person | Asker::Forced, _) => match elect(view, cluster, asker, preferred) {
                Ok(election) => Forecast::Promote(Election { because, ..election }),
                Err(reason) => Forecast::No { because: format!("{because}, but {reason}") },
            },
        },
    }
}

fn elect(view: &ClusterView, cluster: &ClusterSpec, asker: Asker, preferred: Option<NodeNumber>) -> Result<Election, String> {
    let quorum: Quorum = promotion::needed(cluster.quorum(), asker);
    let electorate = promotion::electorate(view, quorum, asker)?;
    let members = electorate.iter().filter_map(|number| Some((*number, view.reach(*number)?.serving()?)));
    let members: Vec<(NodeNumber, &NodeState)> = members.collect();
    let states = || members.iter().map(|(_, state)| *state);
    promotion::may_know_all(states(), asker, quorum)?;
    let frozen: Vec<Frozen> = members.iter().map(|(number, state)| as_if_frozen(cluster, *number, state)).collect();
    let candidate = promotion::candidate(&frozen, asker, preferred, quorum)?;
    let followers = promotion::followers(&frozen, candidate);
    let is_left = |number: &NodeNumber| *number != candidate && !followers.contains(number);
    let rank = frozen.iter().find(|node| node.number == candidate).map(|node| node.rank).ok_or("nobody holds anything")?;
    Ok(Election {
        because: String::new(),
        epoch: promotion::next_epoch(states()),
        candidate,
        rank,
        left: electorate.into_iter().filter(is_left).collect(),
        followers,
    })
}

/// As if nothing more arrived there from now on.
fn as_if_frozen(cluster: &ClusterSpec, number: NodeNumber, state: &NodeState) -> Frozen {
    Frozen {
        number,
        rank: Rank { data_epoch: state.epoch(), timeline: state.timeline, lsn: state.lsn },
        state: state.clone(),
        fitness: match cluster.nodes[number.index()].flag {
            BackendFlag::DisallowToFailover => Fitness::Disallowed,
            BackendFlag::AllowToFailover => Fitness::Fit,
        },
        recent: state.heard_recently,
    }
}

/// The same look after that node's server was stopped, and nobody hears from it any more.
pub fn without(view: &ClusterView, number: NodeNumber) -> ClusterView {
    let mut view = view.clone();
    let hosts = view.hosts.clone();
    let host = hosts.iter().find(|(n, _)| *n == number).map(|(_, host)| host);
    for (node, reach) in &mut view.nodes {
        match reach {
            _ if *node == number => *reach = Reach::Silent { reason: "its server was stopped".into() },
            Reach::Serving(state) if state.upstream.as_ref() == host => state.receiver_silent_ms = None,
            Reach::Serving(_)
            | Reach::Waiting(_)
            | Reach::NotYet { .. }
            | Reach::Refused { .. }
            | Reach::Untrusted { .. }
            | Reach::Silent { .. } => {}
        }
    }
    view
}

/// What the start of this node would come to, by what its server or its entrypoint says of its data; none if neither says anything.
/// Whether an archive holds WAL that the primary no longer has is not known from outside.
pub fn restart(view: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> Option<StartPlan> {
    let own = match view.reach(number)? {
        Reach::Serving(state) => OwnData::Valid(as_if_stopped(state)),
        Reach::Waiting(room) => without_data(room)?,
        Reach::NotYet { .. } | Reach::Refused { .. } | Reach::Untrusted { .. } | Reach::Silent { .. } => return None,
    };
    let nodes = view.nodes.iter().filter(|(other, _)| *other != number).cloned().collect();
    let others = ClusterView { nodes, hosts: view.hosts.clone() };
    let node = &cluster.nodes[number.index()];
    let me = Me {
        number,
        name: node.name.clone(),
        host: node.host.clone(),
        quorum: cluster.quorum(),
        bootstrap: cluster.bootstrap,
        archive: Archive::None,
    };
    Some(start(&StartFacts { me: &me, own: &own, others: &others, waited: CONFIRM_PATIENCE, order: Order::None }))
}

fn without_data(room: &RoomState) -> Option<OwnData> {
    match (room.is_empty_node(), room.is_without_data()) {
        (true, _) => Some(OwnData::None),
        (false, true) => Some(OwnData::Unfinished { promised_epoch: room.promised_epoch() }),
        (false, false) => None,
    }
}

/// The data that this server would leave if it ended now.
fn as_if_stopped(state: &NodeState) -> OwnNode {
    OwnNode {
        system_id: state.system_id,
        timeline: state.timeline,
        role: state.role,
        stopped: Stopped::Cleanly,
        promised_epoch: state.promised_epoch,
        reign: match state.role {
            Role::Primary => state.own_reign(),
            Role::Standby => state.reign,
        },
        upstream: state.upstream.clone(),
        checkpoint: (state.timeline, state.lsn),
        wal_end: WalEnd::At(state.lsn),
        history: state.history.clone(),
        parameters: state.parameters,
    }
}

#[cfg(test)]
mod tests;
