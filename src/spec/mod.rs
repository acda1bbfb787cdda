//! PURE. What the operator asked for: the environment contract, parsed and valid.
//!
//! `RawEnv` (strings) goes in, a `PostgresSpec` or `PgpoolSpec` comes out, or *all* violations at once.
//! Nothing here reads the environment, a file or the clock.

mod cluster;
mod conf_d;
pub mod control_password;
mod list;
pub mod nodes;
mod originals;
pub mod owned;
mod password;
mod pgpool;
mod pgpool_parameters;
mod postgres;
pub mod raw;
mod resolved;
pub mod secret;
mod services;
mod settings;
pub mod types;
mod typo;
mod values;
pub mod vars;
pub mod violation;
mod watchdog;

pub use cluster::HostFacts;
pub use conf_d::{OwnedLine, owned_in_conf_d};
pub use control_password::OtherPassword;
pub use pgpool::pgpool_spec;
pub use postgres::postgres_spec;
pub use raw::{RawEnv, Snapshot, Source, wanted_files};
pub use resolved::{ResolvedVar, resolved};
pub use secret::Secret;
pub use types::*;
pub use vars::{VARS, Var};
pub use violation::{Violation, Violations};
