//! What lies in this node's own data directory, read while no server runs on it.

use super::{Epoch, History, Lsn, ParameterFloor, Role, SystemId, Timeline};

#[derive(Clone, Debug, PartialEq)]
pub enum OwnData {
    /// No data directory, or an empty one.
    None,
    /// A rewind was interrupted while it wrote: never data, but the promise in it still holds.
    Unfinished {
        promised_epoch: Epoch,
    },
    Valid(OwnNode),
}

impl OwnData {
    pub fn stopped(&self) -> Stopped {
        match self {
            OwnData::Valid(own) => own.stopped,
            OwnData::None | OwnData::Unfinished { .. } => Stopped::Crashed,
        }
    }

    pub fn parameters(&self) -> ParameterFloor {
        match self {
            OwnData::Valid(own) => own.parameters,
            OwnData::None | OwnData::Unfinished { .. } => ParameterFloor::default(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OwnNode {
    pub system_id: SystemId,
    /// The furthest of the checkpoint's, the minimum recovery point's, and those of the WAL segments that are here.
    pub timeline: Timeline,
    /// Standby if `standby.signal` is there.
    pub role: Role,
    pub stopped: Stopped,
    pub promised_epoch: Epoch,
    /// `pgcluster.reign`: the reign whose WAL this node received or wrote last; 0 = not on record.
    pub reign: Epoch,
    /// Host in `primary_conninfo` of postgresql.auto.conf; none = frozen, parked, or a primary.
    pub upstream: Option<String>,
    /// Where the last checkpoint's record is.
    pub checkpoint: (Timeline, Lsn),
    /// Where this node's WAL ends: read from pg_wal where it decides anything, else the last known safe point.
    pub wal_end: WalEnd,
    pub history: History,
    /// As in pg_control.
    pub parameters: ParameterFloor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalEnd {
    At(Lsn),
    /// The record of the last checkpoint, which is here, cannot be read: no server will ever start on this data.
    Lost(Lsn),
}

impl WalEnd {
    pub fn lsn(self) -> Lsn {
        match self {
            WalEnd::At(lsn) | WalEnd::Lost(lsn) => lsn,
        }
    }
}

/// How the last server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// "shut down": a checkpoint ends its WAL.
    Cleanly,
    /// "shut down in recovery": WAL may follow that it received and did not replay.
    InRecovery,
    Crashed,
}
