//! What happened: rows of `repmgr.events` and reigns of `pgcluster.epoch`, as one timeline.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// By the clock of the primary of then, in UTC: `2026-11-25 17:20:11.123`.
    pub at: String,
    /// `repmgr` (a row of `repmgr.events`) or `epoch` (a reign began).
    pub source: String,
    /// The node's name; `node 7` where the list has no such node.
    pub node: String,
    /// `standby_promote`, `primary_register`, … of repmgr; `epoch 3` of a reign.
    pub event: String,
    pub successful: bool,
    pub details: Option<String>,
}
