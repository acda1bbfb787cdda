//! What `doctor` looks at, as plain values: servers over SQL, names and ports, this container, its pgpool.

use std::collections::BTreeMap;

use super::{InUse, ParameterFloor};

/// Everything that was gathered. No field ever holds a secret.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checkup {
    /// The node list as this container was told: `number:host:port`, blanks between.
    pub roster: String,
    pub is_cluster: bool,
    /// Whether commits are to wait for standbys.
    pub is_sync: bool,
    pub nodes: Vec<NodeCheckup>,
    pub here: ContainerFacts,
    /// Only in a pgpool container.
    pub pool: Option<PoolFacts>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NodeCheckup {
    pub name: String,
    pub host: String,
    /// Addresses of the host name, or why there are none.
    pub addresses: Result<Vec<String>, String>,
    /// A server answered as a server; without `server` it did not answer the long question.
    pub serves: bool,
    pub server: Option<ServerFacts>,
}

/// What one server says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServerFacts {
    pub is_standby: bool,
    /// `server_version_num`: 170012 is 17.12.
    pub version: u32,
    /// `pg_settings` by name, values in the base unit.
    pub settings: BTreeMap<String, String>,
    pub floor: ParameterFloor,
    pub pending_restart: Vec<String>,
    /// `name: error` of `pg_file_settings`.
    pub bad_settings: Vec<String>,
    pub hba: Vec<HbaRule>,
    /// `line 12: error` of `pg_hba_file_rules`.
    pub bad_hba: Vec<String>,
    pub md5_roles: Vec<String>,
    pub superusers: Vec<String>,
    pub slots: Vec<Slot>,
    /// The last segment that could not be archived, if none was since.
    pub unarchived: Option<String>,
    /// Databases whose collation version is not the library's.
    pub old_collations: Vec<String>,
    /// Of the oldest database, in transactions.
    pub oldest_xid_age: i64,
    /// Client sessions, and how many may be.
    pub sessions: (i64, i64),
    /// Name of the process 1 of its container.
    pub pid1: String,
    /// Its clock minus ours, less what the way may have taken; 0 if that explains it.
    pub skew_ms: i64,
}

impl ServerFacts {
    pub fn setting(&self, name: &str) -> &str {
        self.settings.get(name).map_or("", String::as_str)
    }
}

/// A line of `pg_hba_file_rules`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HbaRule {
    pub line: i32,
    /// `local`, `host`, `hostssl`, …
    pub kind: String,
    pub address: String,
    pub method: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slot {
    pub name: String,
    pub is_active: bool,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub wal_status: String,
}

/// The container that the command runs in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerFacts {
    /// Secret variables that stand in the environment themselves.
    pub plain_secrets: Vec<String>,
    /// Files with secrets that others may read: path and mode in octal.
    pub loose_files: Vec<String>,
    /// What this container presents; none = not read.
    pub certificate: Option<InUse>,
    /// The operator gave it, rather than that a start made it.
    pub is_certificate_given: bool,
    /// As the other nodes ask for this one; only in a database container.
    pub host: Option<String>,
    /// The certificates of `TLS_CA_FILE`.
    pub authorities: Vec<InUse>,
    /// Children of process 1 that are neither the server's nor ours, and older than a moment: `sleep (41)`.
    pub orphans: Vec<String>,
    /// Since the health check ran, or since the container started.
    pub health_silent_s: u64,
    /// Only in a database container.
    pub database: Option<DatabaseContainer>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DatabaseContainer {
    pub name: String,
    pub shm_bytes: u64,
    /// Of the volume: free for us, and in all.
    pub disk: (u64, u64),
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolFacts {
    pub name: String,
    /// `pgpool --version`: 4.6.1 is (4, 6, 1); none = not read.
    pub version: Option<(u32, u32, u32)>,
    /// pgpool.conf, the last line of a name wins.
    pub settings: BTreeMap<String, String>,
    /// How many pgpools share the servers' connections.
    pub pools: u32,
    /// Why the check role cannot log in through pgpool.
    pub login_error: Option<String>,
    /// Lines of pool_hba.conf that ask for no password.
    pub trusting_lines: Vec<String>,
}
