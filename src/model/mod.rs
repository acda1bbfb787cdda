//! PURE. The nouns of the cluster.

pub mod epoch;
pub mod lsn;
pub mod malformed;
pub mod node;
pub mod quorum;
pub mod rank;
pub mod system_id;
pub mod timeline;

pub use epoch::Epoch;
pub use lsn::Lsn;
pub use malformed::Malformed;
pub use node::{NodeId, NodeName, NodeNumber};
pub use quorum::Quorum;
pub use rank::Rank;
pub use system_id::SystemId;
pub use timeline::{History, Timeline};
