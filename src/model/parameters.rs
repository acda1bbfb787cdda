//! The parameters in which a standby must not be smaller than the server whose WAL it replays.

use serde::{Deserialize, Serialize};

/// The largest value seen of each; 0 for unknown.
///
/// A standby with less than that refuses to start ("insufficient parameter settings"), or pauses its replay, and
/// a paused standby shuts down when it is promoted (PostgreSQL documentation, 26.4.3 Administrator's Overview).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterFloor {
    pub max_connections: u32,
    pub max_worker_processes: u32,
    pub max_wal_senders: u32,
    pub max_prepared_transactions: u32,
    pub max_locks_per_transaction: u32,
}

impl ParameterFloor {
    /// The names, in the order of `from_values`.
    pub const NAMES: [&str; 5] =
        ["max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"];

    /// One value per entry of `NAMES`.
    pub fn from_values(values: [u32; 5]) -> ParameterFloor {
        let [max_connections, max_worker_processes, max_wal_senders, max_prepared_transactions, max_locks_per_transaction] =
            values;
        ParameterFloor {
            max_connections,
            max_worker_processes,
            max_wal_senders,
            max_prepared_transactions,
            max_locks_per_transaction,
        }
    }

    fn values(self) -> [u32; 5] {
        [
            self.max_connections,
            self.max_worker_processes,
            self.max_wal_senders,
            self.max_prepared_transactions,
            self.max_locks_per_transaction,
        ]
    }

    /// `max_connections is 300 here and 400 there`: the first that is smaller here; none if a standby with these can replay.
    pub fn shortage(self, there: ParameterFloor) -> Option<String> {
        let rows = ParameterFloor::NAMES.iter().zip(self.values()).zip(there.values());
        let mut smaller = rows.filter(|((_, here), there)| here < there);
        smaller.next().map(|((name, here), there)| format!("{name} is {here} here and {there} there"))
    }

    /// The larger of both, each by itself.
    pub fn max(self, other: ParameterFloor) -> ParameterFloor {
        ParameterFloor {
            max_connections: self.max_connections.max(other.max_connections),
            max_worker_processes: self.max_worker_processes.max(other.max_worker_processes),
            max_wal_senders: self.max_wal_senders.max(other.max_wal_senders),
            max_prepared_transactions: self.max_prepared_transactions.max(other.max_prepared_transactions),
            max_locks_per_transaction: self.max_locks_per_transaction.max(other.max_locks_per_transaction),
        }
    }
}
