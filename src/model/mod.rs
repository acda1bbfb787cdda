//! PURE. The nouns of the cluster.

mod conninfo;
mod node;
mod own;
mod parameters;
mod room;
mod view;

pub use conninfo::conninfo_value;
pub use node::{NodeId, NodeName, NodeNumber};
pub use own::{OwnData, OwnNode, Stopped};
pub use parameters::ParameterFloor;
pub use room::RoomState;
pub use view::{ClusterView, NodeState, Reach, Role};
