//! What a pgpool believes of its backends.

use serde::Serialize;

use super::{NodeNumber, Role};

/// `BACKEND_STATUS` in pgpool's `src/include/pcp/libpcp_ext.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendStatus {
    /// Not in pgpool's list, or switched off in its status file.
    Unused,
    /// In use; no client was connected to it yet.
    Waiting,
    Up,
    Down,
}

impl BackendStatus {
    /// The number that PCP sends.
    pub fn from_code(code: u32) -> Option<BackendStatus> {
        match code {
            0 => Some(BackendStatus::Unused),
            1 => Some(BackendStatus::Waiting),
            2 => Some(BackendStatus::Up),
            3 => Some(BackendStatus::Down),
            _ => None,
        }
    }

    /// The stable word of `status`; pgpool sends clients to a backend that waits, so it is up.
    pub fn word(self) -> &'static str {
        match self {
            BackendStatus::Unused => "unused",
            BackendStatus::Waiting | BackendStatus::Up => "up",
            BackendStatus::Down => "down",
        }
    }
}

/// One backend in a pgpool's opinion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backend {
    pub status: BackendStatus,
    /// Down in this pgpool alone, because the other pgpools would not confirm it (watchdog).
    pub quarantined: bool,
    /// `Primary` for at most one backend: where this pgpool sends writes.
    pub role: Role,
    /// Share of the reads, 0 to 1.
    pub weight: f64,
}

/// What one pgpool said of the backends it was asked about.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolView {
    pub backends: Vec<(NodeNumber, Backend)>,
}

impl PoolView {
    pub fn backend(&self, number: NodeNumber) -> Option<&Backend> {
        self.backends.iter().find(|(n, _)| *n == number).map(|(_, backend)| backend)
    }

    /// Where this pgpool sends writes; it keeps naming a primary that is down.
    pub fn primary(&self) -> Option<NodeNumber> {
        self.backends.iter().find(|(_, backend)| backend.role == Role::Primary).map(|(number, _)| *number)
    }
}
