//! What a file needs besides the operator's wish: found by `observe`, passed in as values.

use std::path::PathBuf;

use crate::model::ParameterFloor;
use crate::spec::Secret;

/// What the shell found out for a database container.
#[derive(Clone, Debug, PartialEq)]
pub struct PostgresFacts {
    /// The cgroup's memory limit; none when there is no limit.
    pub memory_limit_bytes: Option<u64>,
    /// Processors that this container may use.
    pub cpus: u32,
    pub tls: TlsPaths,
    pub minimums: ParameterFloor,
    /// Whether `/etc/pgcluster/conf.d` has files: `include_dir` of a missing directory stops the server.
    pub conf_d: bool,
    /// Contents of `/etc/pgcluster/hba.d/*.conf`, in name order.
    pub hba_d: Vec<HbaRules>,
}

/// Certificate and key as the server reads them (given by the operator, or self-signed by us).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsPaths {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ca: Option<PathBuf>,
}

/// One of the operator's access rule files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HbaRules {
    pub file: String,
    pub text: String,
}

/// What the shell found out for a pgpool container.
#[derive(Clone, Debug, PartialEq)]
pub struct PgpoolFacts {
    /// `pgpool --version`, e.g. `(4, 6)`: names of parameters differ.
    pub version: (u32, u32),
    pub tls: TlsPaths,
    /// Random, made at each start: encrypts pool_passwd, which is rebuilt at each start too.
    pub pool_key: Secret,
    /// One per backend, in backend order.
    pub node_status: Vec<NodeStatus>,
    /// With placeholders; used only with `FAILOVER_MODE=auto`.
    pub failover_command: String,
    /// Roles beside the spec's own whose password is known, e.g. the superuser.
    pub users: Vec<PoolUser>,
}

/// A line of `pgpool_status` (`src/main/pgpool_main.c`, `read_status_file`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStatus {
    Up,
    Down,
    Unused,
}

/// A role that pgpool can log in for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolUser {
    pub name: String,
    pub password: Secret,
}
