//! PURE. Spec (+ view) → files. `quote` has one function per target grammar.

pub mod auto_conf;
pub mod pool_passwd;
pub mod quote;
pub mod scram;
