//! The cluster as it was seen in one look: what each node answered.

use serde::{Deserialize, Serialize};

use super::{Epoch, History, Lsn, NodeNumber, ParameterFloor, RoomState, SystemId, Timeline};

/// What one node answered to one question with one deadline.
#[derive(Clone, Debug, PartialEq)]
pub enum Reach {
    /// No answer inside the deadline: down, cut off, paused, or its name does not resolve.
    Silent { reason: String },
    /// The entrypoint of pgcluster answers in place of the server.
    Waiting(RoomState),
    /// A server that is starting up or shutting down (57P03 without our message).
    NotYet { reason: String },
    /// Something lives there and would not tell: wrong password, too many clients, no database `repmgr`.
    Refused { reason: String },
    /// Somebody answers under this name, whose certificate `TLS_CA_FILE` does not vouch for: nothing that it says was heard.
    Untrusted { reason: String },
    /// A server that answered everything.
    Serving(Box<NodeState>),
}

/// What a serving node says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeState {
    pub system_id: SystemId,
    pub role: Role,
    pub timeline: Timeline,
    /// Flushed position of a primary; the further of received and replayed of a standby.
    pub lsn: Lsn,
    /// Where the oldest WAL segment on its disk begins: whoever needs older WAL cannot stream from it. None = not on record.
    pub wal_from: Option<Lsn>,
    /// `max(epoch)` of `pgcluster.epoch`; none where the table does not exist.
    pub data_epoch: Option<Epoch>,
    pub promised_epoch: Epoch,
    /// `pgcluster.reign`: the reign whose WAL this node received or wrote last; 0 = not on record.
    pub reign: Epoch,
    /// All rows of `pgcluster.epoch`: the reigns that this node's history went through.
    pub reigns: Vec<Epoch>,
    /// Host in `primary_conninfo`; none = frozen or parked (or a primary).
    pub upstream: Option<String>,
    /// Milliseconds since the WAL receiver's last message; none = no receiver is streaming.
    pub receiver_silent_ms: Option<u64>,
    /// A standby that streams, and lacks at most one WAL segment of what its primary has.
    pub keeps_up: bool,
    /// A standby that kept up in the last 60 s before its primary was seen alive for the last time.
    pub heard_recently: bool,
    /// An operator's order that nobody be promoted automatically: who gave it, when and why.
    pub paused: Option<String>,
    /// How the server's timeline came to be; empty on timeline 1.
    pub history: History,
    pub parameters: ParameterFloor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Primary,
    Standby,
}

impl NodeState {
    /// Number of the reign that this node's data comes from; 0 where nobody ever wrote one.
    pub fn epoch(&self) -> Epoch {
        self.data_epoch.unwrap_or(Epoch(0))
    }

    /// The reign of a primary, also of one that has not written its row yet: its own promise comes from the promotion that made it one.
    pub fn own_reign(&self) -> Epoch {
        self.epoch().max(self.promised_epoch)
    }

    /// Is data with this history and this end, last received in `reign`, a prefix of what is here?
    ///
    /// Histories alone do not tell: two servers that were promoted apart at the same position mint timelines of the same number.
    /// Whoever received WAL in a reign that this history went through was on its way; a reign that is not here was cut off.
    pub fn contains(&self, history: &History, end: Lsn, reign: Epoch) -> bool {
        self.knows(reign) && self.history.contains(history, end)
    }

    /// Whether this history went through that reign, as far as it is on record.
    pub fn knows(&self, reign: Epoch) -> bool {
        let own = match self.role {
            Role::Primary => self.own_reign(),
            Role::Standby => self.reign,
        };
        reign == Epoch(0) || reign == own || self.reigns.contains(&reign)
    }
}

impl Reach {
    pub fn serving(&self) -> Option<&NodeState> {
        match self {
            Reach::Serving(state) => Some(state),
            Reach::Silent { .. } | Reach::Waiting(_) | Reach::NotYet { .. } | Reach::Refused { .. } | Reach::Untrusted { .. } => {
                None
            }
        }
    }

    /// A node without data that waits in its entrypoint.
    pub fn is_empty_room(&self) -> bool {
        matches!(self, Reach::Waiting(room) if room.is_empty_node())
    }

    pub fn is_silent(&self) -> bool {
        matches!(self, Reach::Silent { .. })
    }

    /// One or two words for a list: `primary`, `standby`, `silent`, `waiting (cloning)`.
    pub fn word(&self) -> String {
        match self {
            Reach::Silent { .. } => "silent".into(),
            Reach::Waiting(room) => format!("waiting ({})", room.state),
            Reach::NotYet { .. } => "starting".into(),
            Reach::Refused { .. } => "refusing".into(),
            Reach::Untrusted { .. } => "untrusted".into(),
            Reach::Serving(state) if state.role == Role::Primary => "primary".into(),
            Reach::Serving(_) => "standby".into(),
        }
    }
}

/// One look at the other nodes (or at all nodes, from outside).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterView {
    pub nodes: Vec<(NodeNumber, Reach)>,
    /// How `primary_conninfo` names each node.
    pub hosts: Vec<(NodeNumber, String)>,
}

impl ClusterView {
    pub fn serving(&self) -> impl Iterator<Item = (NodeNumber, &NodeState)> {
        self.nodes.iter().filter_map(|(number, reach)| Some((*number, reach.serving()?)))
    }

    /// The same look with this server in it as it was read since: a node does not ask itself over the network.
    pub fn with(&self, number: NodeNumber, state: &NodeState) -> ClusterView {
        let others = self.nodes.iter().filter(|(other, _)| *other != number).cloned();
        let server = (number, Reach::Serving(Box::new(state.clone())));
        ClusterView { nodes: others.chain([server]).collect(), hosts: self.hosts.clone() }
    }

    /// The same look, but of servers these alone, as they were read since.
    pub fn with_only<'a>(&self, servers: impl Iterator<Item = (NodeNumber, &'a NodeState)>) -> ClusterView {
        let rest = self.nodes.iter().filter(|(_, reach)| reach.serving().is_none()).cloned();
        let servers = servers.map(|(number, state)| (number, Reach::Serving(Box::new(state.clone()))));
        ClusterView { nodes: servers.chain(rest).collect(), hosts: self.hosts.clone() }
    }

    /// The writable node of the highest epoch, among the servers of one system: whoever answers to a node's name may be a stranger.
    pub fn primary(&self) -> Option<(NodeNumber, &NodeState)> {
        self.primary_of(self.system()?)
    }

    /// The same for those who know which system they belong to.
    pub fn primary_of(&self, system_id: SystemId) -> Option<(NodeNumber, &NodeState)> {
        let reigns = |state: &NodeState| state.system_id == system_id && state.role == Role::Primary;
        self.serving().filter(|(_, state)| reigns(state)).max_by_key(|(_, state)| (state.epoch(), state.timeline))
    }

    /// The system that most servers belong to; none if they are even, or nobody serves.
    pub fn system(&self) -> Option<SystemId> {
        let votes = |id: SystemId| self.serving().filter(|(_, state)| state.system_id == id).count();
        let (_, most) = self.serving().max_by_key(|(_, state)| votes(state.system_id))?;
        let is_rival = |state: &NodeState| state.system_id != most.system_id && votes(state.system_id) == votes(most.system_id);
        (!self.serving().any(|(_, state)| is_rival(state))).then_some(most.system_id)
    }

    /// The operator's order that nobody be promoted automatically, if the primary, or without one any standby, knows of it.
    pub fn paused(&self) -> Option<&str> {
        match self.primary() {
            Some((_, primary)) => primary.paused.as_deref(),
            None => self.serving().find_map(|(_, state)| state.paused.as_deref()),
        }
    }

    pub fn reach(&self, number: NodeNumber) -> Option<&Reach> {
        self.nodes.iter().find(|(n, _)| *n == number).map(|(_, reach)| reach)
    }

    /// The node that `primary_conninfo` calls by this host.
    pub fn named(&self, host: &str) -> Option<NodeNumber> {
        self.hosts.iter().find(|(_, name)| name == host).map(|(number, _)| *number)
    }

    /// Whom a standby points at.
    pub fn upstream_of(&self, standby: &NodeState) -> Option<NodeNumber> {
        standby.upstream.as_deref().and_then(|host| self.named(host))
    }

    pub fn silent(&self) -> impl Iterator<Item = NodeNumber> {
        self.nodes.iter().filter(|(_, reach)| reach.is_silent()).map(|(number, _)| *number)
    }

    /// Nodes whose certificate was not accepted, and why.
    pub fn untrusted(&self) -> impl Iterator<Item = (NodeNumber, &str)> {
        self.nodes.iter().filter_map(|(number, reach)| match reach {
            Reach::Untrusted { reason } => Some((*number, reason.as_str())),
            Reach::Silent { .. } | Reach::Waiting(_) | Reach::NotYet { .. } | Reach::Refused { .. } | Reach::Serving(_) => None,
        })
    }

    /// The highest promise anyone seen of this system has made, serving or still in its entrypoint.
    pub fn highest_promise(&self) -> Epoch {
        let system = self.system();
        let promise = |reach: &Reach| match reach {
            Reach::Serving(state) if Some(state.system_id) == system => state.promised_epoch,
            Reach::Waiting(room) => room.promised_epoch(),
            Reach::Serving(_) | Reach::Silent { .. } | Reach::NotYet { .. } | Reach::Refused { .. } | Reach::Untrusted { .. } => {
                Epoch(0)
            }
        };
        self.nodes.iter().map(|(_, reach)| promise(reach)).max().unwrap_or(Epoch(0))
    }
}
