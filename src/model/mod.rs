//! PURE. The nouns of the cluster.

mod checkup;
mod conninfo;
mod details;
mod epoch;
mod event;
mod lsn;
mod malformed;
mod node;
mod own;
mod parameters;
mod pool;
mod quorum;
mod rank;
mod report;
mod room;
mod system_id;
mod timeline;
mod view;

pub use checkup::{Checkup, ContainerFacts, DatabaseContainer, HbaRule, NodeCheckup, PoolFacts, ServerFacts, Slot};
pub use conninfo::conninfo_value;
pub use details::{Details, Failover, PoolOpinion, Receiver, RepmgrRow};
pub use epoch::Epoch;
pub use event::Event;
pub use lsn::Lsn;
pub use malformed::Malformed;
pub use node::{NodeId, NodeName, NodeNumber};
pub use own::{OwnData, OwnNode, Stopped, WalEnd};
pub use parameters::ParameterFloor;
pub use pool::{Backend, BackendStatus, PoolView};
pub use quorum::Quorum;
pub use rank::Rank;
pub use report::{ClusterReport, NodeReport, PoolReport, Problem, Seen, StateWord, Summary, Weight};
pub use room::{CANNOT_CONNECT_NOW, RoomState};
pub use system_id::SystemId;
pub use timeline::{History, Timeline};
pub use view::{ClusterView, NodeState, Reach, Role};
