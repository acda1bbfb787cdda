//! What `status` says, as data: the truth, beside it what pgpool and repmgr believe, and what is wrong.
//!
//! The serialized form is the stable schema of `status --json` (docs/commands.md). Null is "unknown".

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Epoch, Failover, Lsn, NodeName, NodeNumber, RepmgrRow, Timeline};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClusterReport {
    pub cluster: Summary,
    pub nodes: Vec<NodeReport>,
    pub pgpools: Vec<PoolReport>,
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    pub epoch: Option<Epoch>,
    pub primary: Option<NodeName>,
    /// A primary is there, opened, and enough standbys acknowledge.
    pub writable: bool,
    /// Whether commits wait for standbys (`REPLICATION_MODE`).
    pub sync: bool,
    pub quorum: Seen,
    pub last_failover: Option<Failover>,
    /// Why nothing is promoted by itself at the moment, in words; null = somebody promotes.
    pub paused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    pub nodes: usize,
    /// Those that answered anything.
    pub seen: usize,
    /// Standbys that acknowledge a commit now, and how many must.
    pub acknowledging: usize,
    pub needed: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeReport {
    pub number: NodeNumber,
    pub name: NodeName,
    pub host: String,
    pub port: u16,
    pub state: StateWord,
    /// What a node that serves nothing says of itself, or why it was not reached.
    pub detail: Option<String>,
    pub epoch: Option<Epoch>,
    pub promised_epoch: Option<Epoch>,
    pub timeline: Option<Timeline>,
    pub lsn: Option<Lsn>,
    /// WAL of the primary that sessions on this node do not see yet.
    pub lag_bytes: Option<u64>,
    pub lag_seconds: Option<f64>,
    /// The host that it points at.
    pub upstream: Option<String>,
    /// Whether WAL arrives from there; null for a primary.
    pub streaming: Option<bool>,
    pub sync_state: Option<String>,
    pub repmgr: Option<RepmgrRow>,
    /// By pgpool's name; null where no pgpool could be asked.
    pub pgpool: Option<BTreeMap<String, &'static str>>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StateWord {
    Primary,
    Standby,
    /// Without pointer, of the reign that it promised: a former primary that waits for its successor.
    Parked,
    /// Without pointer, and it promised a reign that its data do not know: a promotion stopped it.
    Frozen,
    /// Its entrypoint answers, or its server starts or stops.
    Waiting,
    Unreachable,
}

impl StateWord {
    pub const ALL: [StateWord; 6] = [
        StateWord::Primary,
        StateWord::Standby,
        StateWord::Parked,
        StateWord::Frozen,
        StateWord::Waiting,
        StateWord::Unreachable,
    ];

    pub fn word(self) -> &'static str {
        match self {
            StateWord::Primary => "primary",
            StateWord::Standby => "standby",
            StateWord::Parked => "parked",
            StateWord::Frozen => "frozen",
            StateWord::Waiting => "waiting",
            StateWord::Unreachable => "unreachable",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PoolReport {
    pub name: String,
    /// `serving` or `unreachable`.
    pub state: &'static str,
    pub primary: Option<NodeName>,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Problem {
    pub code: &'static str,
    /// What was seen, with names.
    pub text: String,
    /// What to do, or that nothing is to be done.
    pub fix: String,
    #[serde(skip)]
    pub weight: Weight,
    /// The node it is about.
    #[serde(skip)]
    pub node: Option<NodeNumber>,
}

/// What a problem does to the exit code of `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Worth knowing; the cluster is healthy.
    Notice,
    /// Exit 1.
    Degraded,
    /// Exit 2: nobody takes writes.
    Broken,
}

impl ClusterReport {
    /// The heaviest of its problems; none = healthy.
    pub fn weight(&self) -> Option<Weight> {
        self.problems.iter().map(|problem| problem.weight).max()
    }

    pub fn node(&self, number: NodeNumber) -> Option<&NodeReport> {
        self.nodes.iter().find(|node| node.number == number)
    }
}
