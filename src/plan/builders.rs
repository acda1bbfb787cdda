//! Facts for the tests of decisions: what a node is, said in a few words. Nodes are pg01, pg02, …; everybody is of system 7.

use serde_json::json;

use crate::model::{
    ClusterView, Epoch, History, Lsn, NodeNumber, NodeState, OwnData, OwnNode, ParameterFloor, Reach, Role, RoomState, Stopped,
    SystemId, Timeline, WalEnd,
};

use crate::spec::{ClusterSpec, HostFacts, RawEnv, Snapshot, pgpool_spec};

pub const PG01: NodeNumber = NodeNumber(0);
pub const PG02: NodeNumber = NodeNumber(1);
pub const PG03: NodeNumber = NodeNumber(2);

/// A running server's answer. Reign 1, timeline 1, position 0/100 until told otherwise.
#[derive(Clone, Debug)]
pub struct Seen(NodeState);

pub fn primary() -> Seen {
    Seen(NodeState {
        system_id: SystemId(7),
        role: Role::Primary,
        timeline: Timeline(1),
        lsn: Lsn(0x100),
        wal_from: None,
        data_epoch: Some(Epoch(1)),
        promised_epoch: Epoch(1),
        reign: Epoch(1),
        reigns: vec![Epoch(1)],
        upstream: None,
        receiver_silent_ms: None,
        keeps_up: false,
        heard_recently: false,
        paused: None,
        history: History::without_ancestors(Timeline(1)),
        parameters: ParameterFloor::default(),
    })
}

/// A standby that points at nobody: frozen, or parked.
pub fn standby() -> Seen {
    let Seen(state) = primary();
    Seen(NodeState { role: Role::Standby, ..state })
}

/// A standby that points at `host` and does not stream.
pub fn standby_of(host: &str) -> Seen {
    let Seen(state) = standby();
    Seen(NodeState { upstream: Some(host.into()), ..state })
}

impl Seen {
    /// Data and promise of this reign, after reign 1.
    pub fn epoch(self, epoch: u64) -> Seen {
        self.data_epoch(epoch).promised(epoch).reign(epoch)
    }

    pub fn data_epoch(self, epoch: u64) -> Seen {
        let reigns = if epoch == 1 { vec![Epoch(1)] } else { vec![Epoch(1), Epoch(epoch)] };
        Seen(NodeState { data_epoch: Some(Epoch(epoch)), reigns, ..self.0 })
    }

    pub fn reign(self, epoch: u64) -> Seen {
        Seen(NodeState { reign: Epoch(epoch), ..self.0 })
    }

    pub fn promised(self, epoch: u64) -> Seen {
        Seen(NodeState { promised_epoch: Epoch(epoch), ..self.0 })
    }

    /// On this timeline, whose ancestors ended at the given positions.
    pub fn timeline(self, own: u32, forks: &[(u32, u64)]) -> Seen {
        Seen(NodeState { timeline: Timeline(own), history: history(own, forks), ..self.0 })
    }

    pub fn at(self, lsn: u64) -> Seen {
        Seen(NodeState { lsn: Lsn(lsn), ..self.0 })
    }

    /// Its oldest WAL segment begins there.
    pub fn wal_from(self, lsn: u64) -> Seen {
        Seen(NodeState { wal_from: Some(Lsn(lsn)), ..self.0 })
    }

    pub fn system(self, id: u64) -> Seen {
        Seen(NodeState { system_id: SystemId(id), ..self.0 })
    }

    pub fn max_connections(self, max_connections: u32) -> Seen {
        Seen(NodeState { parameters: ParameterFloor { max_connections, ..self.0.parameters }, ..self.0 })
    }

    /// Streams; the last message came this long ago.
    pub fn heard_ms_ago(self, silent_ms: u64) -> Seen {
        Seen(NodeState { receiver_silent_ms: Some(silent_ms), ..self.0 })
    }

    /// Streams, and lacks next to nothing.
    pub fn keeps_up(self) -> Seen {
        Seen(NodeState { keeps_up: true, heard_recently: true, receiver_silent_ms: Some(5), ..self.0 })
    }

    pub fn paused(self) -> Seen {
        Seen(NodeState { paused: Some("anna, since 10:00: maintenance".into()), ..self.0 })
    }

    pub fn state(self) -> NodeState {
        self.0
    }
}

impl From<Seen> for Reach {
    fn from(seen: Seen) -> Reach {
        Reach::Serving(Box::new(seen.0))
    }
}

pub fn silent() -> Reach {
    Reach::Silent { reason: "no route to host".into() }
}

/// A server before or after its service.
pub fn not_yet() -> Reach {
    Reach::NotYet { reason: "the database system is starting up".into() }
}

pub fn refused() -> Reach {
    Reach::Refused { reason: "sorry, too many clients already".into() }
}

pub fn untrusted() -> Reach {
    Reach::Untrusted { reason: "the certificate CN=x was signed by CN=y".into() }
}

/// In its entrypoint, without data.
pub fn empty() -> Reach {
    Reach::Waiting(RoomState::of(&OwnData::None, ""))
}

/// In its entrypoint, with data and a promise.
pub fn waiting(promised: u64) -> Reach {
    Reach::Waiting(RoomState { state: "waiting".into(), detail: json!({ "promised_epoch": promised }) })
}

/// Nodes 0, 1, 2, … as given.
pub fn view<const N: usize>(reaches: [Reach; N]) -> ClusterView {
    let numbers = || (0..).map(NodeNumber);
    ClusterView { nodes: numbers().zip(reaches).collect(), hosts: hosts(N) }
}

/// Everybody but the node that looks, which is `me`.
pub fn others<const N: usize>(me: NodeNumber, reaches: [Reach; N]) -> ClusterView {
    let numbers = (0..).map(NodeNumber).filter(|number| *number != me);
    ClusterView { nodes: numbers.zip(reaches).collect(), hosts: hosts(N + 1) }
}

fn hosts(nodes: usize) -> Vec<(NodeNumber, String)> {
    (0..).map(NodeNumber).take(nodes).map(|number| (number, format!("pg{:02}", number.0 + 1))).collect()
}

/// A data directory without a server. Reign 1, timeline 1, WAL until 0/100 until told otherwise.
#[derive(Clone, Debug)]
pub struct Own(OwnNode);

pub fn was_primary() -> Own {
    Own(OwnNode {
        system_id: SystemId(7),
        timeline: Timeline(1),
        role: Role::Primary,
        stopped: Stopped::Crashed,
        promised_epoch: Epoch(1),
        reign: Epoch(1),
        upstream: None,
        checkpoint: (Timeline(1), Lsn(0x80)),
        wal_end: WalEnd::At(Lsn(0x100)),
        history: History::without_ancestors(Timeline(1)),
        parameters: ParameterFloor::default(),
    })
}

pub fn was_standby_of(host: &str) -> Own {
    let Own(node) = was_primary();
    Own(OwnNode { role: Role::Standby, upstream: Some(host.into()), ..node })
}

impl Own {
    pub fn promised(self, epoch: u64) -> Own {
        Own(OwnNode { promised_epoch: Epoch(epoch), ..self.0 })
    }

    pub fn reign(self, epoch: u64) -> Own {
        Own(OwnNode { reign: Epoch(epoch), ..self.0 })
    }

    pub fn timeline(self, own: u32, forks: &[(u32, u64)]) -> Own {
        Own(OwnNode { timeline: Timeline(own), history: history(own, forks), ..self.0 })
    }

    pub fn at(self, lsn: u64) -> Own {
        Own(OwnNode { wal_end: WalEnd::At(Lsn(lsn)), ..self.0 })
    }

    pub fn without_wal(self) -> Own {
        Own(OwnNode { wal_end: WalEnd::Lost(self.0.checkpoint.1), ..self.0 })
    }

    pub fn node(self) -> OwnNode {
        self.0
    }
}

impl From<Own> for OwnData {
    fn from(own: Own) -> OwnData {
        OwnData::Valid(own.0)
    }
}

pub fn history(own: u32, forks: &[(u32, u64)]) -> History {
    let lines: String = forks.iter().map(|(timeline, end)| format!("{timeline}\t{}\ttest\n", Lsn(*end))).collect();
    History::parse(Timeline(own), &lines).expect("ascending forks")
}

/// Three nodes, synchronous, with this FAILOVER_MODE.
pub fn cluster(failover: &str) -> ClusterSpec {
    let vars =
        [("PG_BACKEND_NODE_LIST", "0:pg01,1:pg02,2:pg03"), ("REPMGRPWD", "r"), ("PCPPWD", "p"), ("FAILOVER_MODE", failover)];
    let vars = vars.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let host = HostFacts { host_name: "pgpool01".into() };
    pgpool_spec(&RawEnv::read(&Snapshot { vars, files: Default::default() }), &host).expect("a valid environment").cluster
}
