//! PURE. The nouns of the cluster.
