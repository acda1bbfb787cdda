//! What a planned change of the primary asks for besides the states: nothing that is fast waits for it.

use super::{NodeNumber, Receiver};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readiness {
    /// `pg_basebackup` and the like that read from the primary now: its stop would end them.
    pub base_backups: u32,
    /// The primary's `pg_stat_replication`.
    pub receivers: Vec<Receiver>,
    /// Of the standbys that answered.
    pub standbys: Vec<(NodeNumber, Successor)>,
}

/// What a standby has for the time after its promotion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Successor {
    /// Replication slots that are free, or are those of nodes of the cluster.
    pub slots: i64,
    /// WAL senders that nobody uses.
    pub senders: i64,
    /// Received and not replayed yet.
    pub unreplayed_bytes: u64,
    /// By `pg_wal_replay_pause()`, or by a parameter that is too small.
    pub replay_paused: bool,
}

impl Readiness {
    pub fn standby(&self, number: NodeNumber) -> Option<&Successor> {
        self.standbys.iter().find(|(n, _)| *n == number).map(|(_, successor)| successor)
    }
}
