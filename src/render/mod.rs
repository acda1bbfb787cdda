//! PURE. Spec (+ view) → files. `quote` has one function per target grammar.
//!
//! Everything renders before anything is written: either all files come out, or an error and none.
//! Paths, memory, processors, TLS files and keys come in as facts; nothing here looks for them.

use std::fmt;
use std::path::PathBuf;

pub mod auto_conf;
pub mod check_role;
pub mod facts;
pub mod hba;
pub mod paths;
pub mod pcp;
pub mod pgpass;
pub mod pgpool;
pub mod pgpool_names;
pub mod pool_hba;
pub mod pool_passwd;
pub mod pool_users;
pub mod postgresql;
pub mod quote;
pub mod repmgr;
pub mod scram;
mod template;
pub mod text;
pub mod tune;
mod watchdog;

pub use facts::{HbaRules, NodeStatus, PgpoolFacts, PoolUser, PostgresFacts, TlsPaths};
pub use pgpool::pgpool_files;
pub use postgresql::postgres_files;

/// A configuration file as it shall be: the whole of it, nothing is merged with what is there.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Permission bits, like `0o600`.
    pub mode: u32,
    /// The content, with its last newline.
    pub body: String,
}

/// Without the body: it may hold passwords, and `{:?}` ends up in logs.
impl fmt::Debug for RenderedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RenderedFile {{ {}, {:04o}, {} bytes }}", self.path.display(), self.mode, self.body.len())
    }
}

impl RenderedFile {
    /// Readable by everybody in the container.
    fn open(path: impl Into<PathBuf>, body: String) -> RenderedFile {
        RenderedFile { path: path.into(), mode: 0o644, body }
    }

    /// Holds a secret, or may hold one.
    fn private(path: impl Into<PathBuf>, body: String) -> RenderedFile {
        RenderedFile { path: path.into(), mode: 0o600, body }
    }
}
