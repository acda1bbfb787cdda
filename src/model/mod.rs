//! PURE. The nouns of the cluster.

pub mod node;

pub use node::{NodeId, NodeName, NodeNumber};
