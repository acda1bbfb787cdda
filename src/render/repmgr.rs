//! `repmgr.conf`, and the connection strings that nodes use for each other.

use serde::Serialize;

use super::template::{render, text};
use super::{paths, quote};
use crate::spec::{BackendFlag, ClusterSpec, FailoverMode, LogLevel, Node, PostgresSpec};

/// How others reach a node: for `repmgr.conf` and the rows of `repmgr.nodes`. Holds no secret.
///
/// libpq: <https://www.postgresql.org/docs/current/libpq-connect.html>.
pub fn repmgr_conninfo(cluster: &ClusterSpec, node: &Node) -> anyhow::Result<String> {
    let port = node.port.to_string();
    let who = [("host", node.host.as_str()), ("port", &port), ("user", "repmgr"), ("dbname", "repmgr"), ("connect_timeout", "2")];
    Ok(quote::conninfo(&[&who[..], verification(cluster), &[("passfile", paths::PGPASS)]].concat())?)
}

/// Where the operator gave an authority, libpq verifies chain and host name as we do. What is written into another node's settings
/// names that node's own copy of it.
fn verification(cluster: &ClusterSpec) -> &'static [(&'static str, &'static str)] {
    match cluster.authority() {
        Some(_) => &[("sslmode", "verify-full"), ("sslrootcert", paths::TLS_CA), ("channel_binding", "require")],
        None => &[("sslmode", "require"), ("channel_binding", "require")],
    }
}

/// How `me` receives WAL from `upstream`. Holds no secret.
///
/// `channel_binding=require`: the upstream proves, inside this very TLS session, that it knows the password, so a
/// self-signed certificate is enough. `application_name` is what `synchronous_standby_names` and pgpool compare.
pub fn primary_conninfo(cluster: &ClusterSpec, me: &Node, upstream: &Node) -> anyhow::Result<String> {
    replication_conninfo(cluster, me.name.as_str(), upstream)
}

/// How pg_rewind reads `source`: without signs of life it would wait for ever for a server that was cut off.
pub fn rewind_conninfo(cluster: &ClusterSpec, source: &Node) -> anyhow::Result<String> {
    Ok(format!("{} dbname=repmgr", replication_conninfo(cluster, "pgcluster rewind", source)?))
}

/// How a copy of `source` is made. Its name is no node's: what pg_basebackup receives counts as received by a standby if the name is
/// in `synchronous_standby_names`, and a copy that is not complete keeps no promise.
pub fn copy_conninfo(cluster: &ClusterSpec, source: &Node) -> anyhow::Result<String> {
    replication_conninfo(cluster, "pgcluster copy", source)
}

fn replication_conninfo(cluster: &ClusterSpec, application_name: &str, upstream: &Node) -> anyhow::Result<String> {
    let port = upstream.port.to_string();
    let who = [
        ("host", upstream.host.as_str()),
        ("port", &port),
        ("user", "repmgr"),
        ("application_name", application_name),
        ("passfile", paths::PGPASS),
        ("connect_timeout", "2"),
    ];
    let signs_of_life =
        [("keepalives_idle", "5"), ("keepalives_interval", "2"), ("keepalives_count", "3"), ("tcp_user_timeout", "5000")];
    Ok(quote::conninfo(&[&who[..], verification(cluster), &signs_of_life].concat())?)
}

#[derive(Serialize)]
struct RepmgrConf {
    name: String,
    id: u32,
    conninfo: String,
    passfile: &'static str,
    data_dir: String,
    bin_dir: String,
    priority: u32,
    repmgrd: bool,
    failover_mode: &'static str,
    promote_command: String,
    follow_command: String,
    monitor_interval_s: u64,
    reconnect_attempts: u64,
    reconnect_interval_s: u64,
    log_level: &'static str,
}

/// repmgrd's rhythm: it looks every 2 s, and tries again every 2 s until `FAILOVER_AFTER` is over.
const REPMGRD_INTERVAL_S: u64 = 2;

/// `repmgr.conf` (<https://repmgr.org/docs/current/configuration-file.html>).
pub fn repmgr_conf(spec: &PostgresSpec) -> anyhow::Result<String> {
    let node = spec.node();
    let context = RepmgrConf {
        name: node.name.to_string(),
        id: node.id().0,
        conninfo: repmgr_conninfo(&spec.cluster, node)?,
        passfile: paths::PGPASS,
        data_dir: text(&spec.data_dir)?,
        bin_dir: paths::bin_dir(spec.major),
        // repmgr never promotes a node of priority 0.
        priority: match node.flag {
            BackendFlag::AllowToFailover => 100,
            BackendFlag::DisallowToFailover => 0,
        },
        repmgrd: spec.cluster.failover == FailoverMode::Repmgrd,
        failover_mode: match spec.cluster.failover {
            FailoverMode::Auto => "auto (pgpool and the health checks)",
            FailoverMode::Manual => "manual (you: pgcluster promote)",
            FailoverMode::Repmgrd => "repmgrd",
        },
        promote_command: format!("{} promote --unattended --because repmgrd", paths::PGCLUSTER),
        follow_command: format!("{} health", paths::PGCLUSTER),
        monitor_interval_s: REPMGRD_INTERVAL_S,
        reconnect_attempts: (spec.cluster.failover_after.as_secs() / REPMGRD_INTERVAL_S).max(2),
        reconnect_interval_s: REPMGRD_INTERVAL_S,
        log_level: log_level(spec.cluster.log.level),
    };
    render("repmgr.conf", &context)
}

fn log_level(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "ERROR",
        LogLevel::Warn => "WARNING",
        LogLevel::Info => "INFO",
        LogLevel::Debug => "DEBUG",
    }
}
