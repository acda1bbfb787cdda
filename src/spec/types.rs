//! The nouns that a valid environment is made of.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{OtherPassword, Secret};
use crate::model::{NodeId, NodeName, NodeNumber, Quorum};

/// A container's wish, by its image.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    Postgres(PostgresSpec),
    Pgpool(PgpoolSpec),
}

/// What every container of the cluster was told alike.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterSpec {
    /// Sorted by number, numbers 0…n-1 without a gap, at least one. A single node without a list is node 0.
    pub nodes: Vec<Node>,
    pub kind: ClusterKind,
    /// The only node that may run initdb; a hint without weight once data exists (`PGMASTER_NODE_NAME`, else number 0).
    pub bootstrap: NodeNumber,
    /// Always there with a node list. A standalone node may have none: then `repmgr` cannot log in with a password.
    pub repmgr_password: Option<Secret>,
    /// While it changes: the other one, which `repmgr_password` was before, or will be.
    pub other_password: Option<OtherPassword>,
    /// `REPLICATION_MODE` with `auto` resolved: sync from three nodes on.
    pub replication: Replication,
    pub failover: FailoverMode,
    /// How long no primary may be seen before a standby's health check acts (`FAILOVER_AFTER`).
    pub failover_after: Duration,
    /// The database of the services (`PG_DATABASE`, default `phoenix`).
    pub database: String,
    pub services: Vec<Service>,
    pub tls: Option<TlsFiles>,
    pub log: LogSpec,
}

impl ClusterSpec {
    /// How many nodes a decision needs here.
    pub fn quorum(&self) -> Quorum {
        Quorum::of(self.nodes.len(), self.replication == Replication::Sync)
    }

    /// The file with the authority that signed all nodes' certificates; none = certificates are not verified.
    pub fn authority(&self) -> Option<&Path> {
        self.tls.as_ref()?.ca.as_deref()
    }

    /// The node list in one form, `0:pg01:5432 1:pg02:5432`: containers that were told the same have the same.
    pub fn roster(&self) -> String {
        let entry = |node: &Node| {
            let flag = if node.flag == BackendFlag::DisallowToFailover { ":DISALLOW_TO_FAILOVER" } else { "" };
            format!("{}:{}:{}{flag}", node.number, node.host, node.port)
        };
        self.nodes.iter().map(entry).collect::<Vec<_>>().join(" ")
    }
}

/// Whether there is a `PG_BACKEND_NODE_LIST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterKind {
    /// No node list: the official image's contract holds.
    Standalone,
    Cluster,
}

/// One entry of `PG_BACKEND_NODE_LIST`.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub number: NodeNumber,
    /// repmgr's `node_name` and the standby's `application_name`: the host without a leading `tasks.` (Swarm).
    pub name: NodeName,
    /// DNS name or address, IPv6 without brackets.
    pub host: String,
    pub port: u16,
    /// pgpool's `backend_weight`, ≥ 0.
    pub weight: f64,
    pub data_dir: PathBuf,
    pub flag: BackendFlag,
}

impl Node {
    pub fn id(&self) -> NodeId {
        self.number.id()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendFlag {
    AllowToFailover,
    DisallowToFailover,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replication {
    Sync,
    Async,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailoverMode {
    Auto,
    Manual,
    Repmgrd,
}

/// One micro-service of `MSLIST`: roles `<name>_owner` and `<name>_user`, schema `<name>_owner`.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `^[a-z][a-z0-9_]{0,55}$`, so that `<name>_owner` fits PostgreSQL's 63 bytes.
    pub name: String,
    pub owner_password: RolePassword,
    pub user_password: RolePassword,
}

impl Service {
    pub fn owner(&self) -> String {
        format!("{}_owner", self.name)
    }

    pub fn user(&self) -> String {
        format!("{}_user", self.name)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum RolePassword {
    Given(Secret),
    /// Nobody gave one: generated when the role is created, kept in a 0600 file of the data volume, unknown to pgpool.
    Generate,
}

/// Certificate files given by the operator; without them each node makes a self-signed certificate.
#[derive(Clone, Debug, PartialEq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
    pub ca: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSpec {
    pub format: LogFormat,
    pub level: LogLevel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
}

/// What a database container was told.
#[derive(Clone, Debug, PartialEq)]
pub struct PostgresSpec {
    pub cluster: ClusterSpec,
    pub me: NodeNumber,
    /// `PGDATA`, default `/u01/pg<major>/data`; the volume is its parent.
    pub data_dir: PathBuf,
    /// Major version of the server in this image (`PG_MAJOR`).
    pub major: u32,
    pub superuser: Superuser,
    pub host_auth: HostAuth,
    /// `POSTGRES_INITDB_ARGS`, split as a shell would.
    pub initdb_args: Vec<String>,
    pub initdb_wal_dir: Option<PathBuf>,
    /// `PGCONF_<guc>`: names as PostgreSQL spells them, in name order; parameters that we own are refused.
    pub settings: Vec<Setting>,
    pub tune: Tune,
    pub archive_dir: Option<PathBuf>,
    /// Networks that clients may come from (`PG_CLIENT_NETWORKS`): `samenet` alone by default in a cluster, `all` standalone.
    pub client_networks: Vec<String>,
}

impl PostgresSpec {
    pub fn node(&self) -> &Node {
        &self.cluster.nodes[self.me.index()]
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Superuser {
    /// `POSTGRES_USER`, default `postgres`.
    pub name: String,
    /// `POSTGRES_PASSWORD`, default `REPMGRPWD`; none only with `POSTGRES_HOST_AUTH_METHOD=trust`.
    pub password: Option<Secret>,
    /// `POSTGRES_DB`, default the superuser's name.
    pub database: String,
}

/// `POSTGRES_HOST_AUTH_METHOD`, standalone only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAuth {
    ScramSha256,
    Md5,
    Password,
    Trust,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tune {
    /// Memory settings from the cgroup limit.
    Auto,
    Off,
}

/// What a pgpool container was told.
#[derive(Clone, Debug, PartialEq)]
pub struct PgpoolSpec {
    pub cluster: ClusterSpec,
    /// `PGP_NODE_NAME`, default the host name.
    pub name: String,
    pub port: u16,
    pub pcp_user: String,
    pub pcp_password: Secret,
    pub unknown_users: UnknownUsers,
    pub watchdog: Option<Watchdog>,
    /// `PGPOOL_<parameter>`: names as this pgpool's version spells them, in name order.
    pub settings: Vec<Setting>,
    /// How long a start looks for a primary before it decides itself (`SEARCH_PRIMARY`).
    pub search_primary: Duration,
    /// Networks that clients may come from (`POOL_CLIENT_NETWORKS`), `all` by default: pgpool is the front door.
    pub client_networks: Vec<String>,
}

/// `POOL_UNKNOWN_USERS`: roles whose password we do not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// Ask for the clear password inside TLS and hand it to PostgreSQL.
    TlsPassword,
    Reject,
}

/// Two or more pgpools that watch each other (`PGP_OTHERS`).
#[derive(Clone, Debug, PartialEq)]
pub struct Watchdog {
    /// This pgpool's number: the lowest that neither `PGP_OTHERS` uses, or the one that `PGP_HEARTBEATS` gives to its name.
    pub number: u32,
    /// All pgpools, this one included, by number.
    pub members: Vec<WatchdogMember>,
    pub delegate_ip: Option<std::net::IpAddr>,
    pub trusted_servers: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchdogMember {
    pub number: u32,
    pub host: String,
    pub pgpool_port: u16,
    pub watchdog_port: u16,
    pub heartbeat_host: String,
    pub heartbeat_port: u16,
}
