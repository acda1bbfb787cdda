//! PURE. What the operator asked for: the environment contract, parsed and valid.
//!
//! `RawEnv` (strings) goes in, a `PostgresSpec` or `PgpoolSpec` comes out, or *all* violations at once.
//! Nothing here reads the environment, a file or the clock.

pub mod secret;
pub mod types;

pub use secret::Secret;
pub use types::*;
