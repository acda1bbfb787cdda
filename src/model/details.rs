//! What people want to know of a running server beside its state: no decision rests on it, so it is asked after the state.

use serde::Serialize;

use super::{Epoch, InUse, Lsn, NodeId};

/// One server's answer to the second question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// What sessions on this server can see; a primary sees what it wrote.
    pub replayed: Option<Lsn>,
    /// Since the last commit that a standby replayed was made, by two clocks: for people only.
    pub last_commit_age_s: Option<f64>,
    /// An operator's `pg_wal_replay_pause()`, or parameters that are too small.
    pub replay_paused: bool,
    /// A promotion that is not finished keeps a new primary so.
    pub read_only: bool,
    /// Sessions that wait for a standby to acknowledge their commit.
    pub commits_waiting: u32,
    /// What it presents to clients; none = no TLS, or not read.
    pub certificate: Option<InUse>,
    /// `pg_stat_replication`; empty on a standby that feeds nobody.
    pub receivers: Vec<Receiver>,
    /// `repmgr.nodes`, as this server has it.
    pub repmgr: Vec<RepmgrRow>,
    /// The last row of `pgcluster.epoch` that is not the first.
    pub last_failover: Option<Failover>,
}

/// A row of `pg_stat_replication`.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// `application_name`: the standby's node name.
    pub name: String,
    /// `streaming`, `catchup`, `backup`, …
    pub state: String,
    /// `quorum`, `sync`, `potential` or `async`.
    pub sync_state: String,
    /// By the primary's own clock; none when the standby has nothing left to replay.
    pub replay_lag_s: Option<f64>,
}

/// A row of `repmgr.nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepmgrRow {
    #[serde(rename = "node_id")]
    pub id: NodeId,
    /// `primary`, `standby` or `witness`.
    #[serde(rename = "type")]
    pub kind: String,
    pub active: bool,
    #[serde(rename = "upstream_node_id")]
    pub upstream: Option<NodeId>,
}

/// How the present reign began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failover {
    pub epoch: Epoch,
    /// The node that was promoted.
    pub node: String,
    /// Who wanted it and why.
    pub reason: String,
    /// By the new primary's clock, as `2026-11-25 17:20:11+00`.
    pub at: String,
}

/// What one pgpool says; none if it does not answer.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolOpinion {
    pub name: String,
    pub view: Option<super::PoolView>,
}
