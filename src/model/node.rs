//! Who is who: pgpool counts from 0, repmgr from 1, people use names.

use std::fmt;

use serde::{Deserialize, Serialize};

/// pgpool's backend number, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeNumber(pub u32);

/// repmgr's `node_id`: the number + 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u32);

/// repmgr's `node_name`; also the standby's `application_name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeName(pub String);

impl NodeNumber {
    pub fn id(self) -> NodeId {
        NodeId(self.0 + 1)
    }

    /// Place in a list that is sorted by number and has no gap.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl NodeId {
    /// The physical slot under which WAL is kept for this node while its data is not known to be a prefix. It streams from none of it.
    pub fn keeper_name(self) -> String {
        format!("pgcluster_keep_{}", self.0)
    }

    /// The physical slot that repmgr expects for this node.
    pub fn slot_name(self) -> String {
        format!("repmgr_slot_{}", self.0)
    }
}

impl NodeName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
