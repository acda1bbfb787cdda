//! PURE. The nouns of the cluster.

pub mod room;
