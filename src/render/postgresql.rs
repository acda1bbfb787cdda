//! The files of a database container, first of all `postgresql.conf`.

use anyhow::Context as _;
use serde::Serialize;

use super::facts::PostgresFacts;
use super::template::{SettingLine, render, text};
use super::{RenderedFile, hba, paths, pgpass, quote, repmgr, tune};
use crate::model::{ParameterFloor, Quorum};
use crate::spec::{ClusterKind, ClusterSpec, FailoverMode, LogLevel, Node, PostgresSpec, Replication, Setting};

/// Every file that a database container needs before its server starts.
///
/// pgpass is left out when nobody gave `REPMGRPWD` (standalone).
pub fn postgres_files(spec: &PostgresSpec, facts: &PostgresFacts) -> anyhow::Result<Vec<RenderedFile>> {
    let mut files = vec![
        RenderedFile::private(paths::POSTGRESQL_CONF, postgresql_conf(spec, facts)?),
        RenderedFile::private(paths::PG_HBA_CONF, hba::pg_hba_conf(spec, &facts.hba_d)?),
        RenderedFile::private(paths::PG_IDENT_CONF, hba::pg_ident_conf(spec)?),
        RenderedFile::open(paths::repmgr_conf(spec.major), repmgr::repmgr_conf(spec)?),
    ];
    files.extend(pgpass::pgpass(&spec.cluster)?.map(|body| RenderedFile::private(paths::PGPASS, body)));
    Ok(files)
}

/// What the template may name.
#[derive(Serialize)]
struct PostgresqlConf {
    name: String,
    port: u16,
    connections_why: &'static str,
    max_connections: u32,
    tls_cert: String,
    tls_key: String,
    tls_ca: String,
    max_wal_senders: u32,
    max_replication_slots: u32,
    max_worker_processes: u32,
    max_prepared_transactions: u32,
    max_locks_per_transaction: u32,
    sync_why: String,
    synchronous_standby_names: String,
    roster: String,
    preload: &'static str,
    archive_dir: String,
    archive_command: String,
    restore_command: String,
    memory_why: String,
    memory: Vec<tune::Line>,
    log_level: &'static str,
    conf_d: bool,
    settings: Vec<SettingLine>,
}

fn postgresql_conf(spec: &PostgresSpec, facts: &PostgresFacts) -> anyhow::Result<String> {
    let own = own_sizes(&spec.cluster);
    let sizes = own.max(facts.minimums);
    let max_connections = wanted(&spec.settings, "max_connections").unwrap_or(own.max_connections);
    let memory = tune::band(spec.tune, facts.memory_limit_bytes, facts.cpus, max_connections.max(sizes.max_connections));
    let (sync_why, synchronous_standby_names) = synchronous(&spec.cluster, spec.node());
    let context = PostgresqlConf {
        name: spec.node().name.to_string(),
        port: spec.node().port,
        connections_why: connections_why(spec.cluster.kind),
        max_connections: sizes.max_connections,
        tls_cert: text(&facts.tls.cert)?,
        tls_key: text(&facts.tls.key)?,
        tls_ca: facts.tls.ca.as_deref().map(text).transpose()?.unwrap_or_default(),
        max_wal_senders: sizes.max_wal_senders,
        max_replication_slots: own.max_wal_senders,
        max_worker_processes: sizes.max_worker_processes,
        max_prepared_transactions: sizes.max_prepared_transactions,
        max_locks_per_transaction: sizes.max_locks_per_transaction,
        sync_why,
        synchronous_standby_names,
        roster: spec.cluster.roster(),
        preload: preload(spec.cluster.failover),
        archive_dir: spec.archive_dir.as_deref().map(text).transpose()?.unwrap_or_default(),
        archive_command: format!("{} archive-wal %p", paths::PGCLUSTER),
        restore_command: format!("{} restore-wal %f %p", paths::PGCLUSTER),
        memory_why: memory.why,
        memory: memory.settings,
        log_level: log_min_messages(spec.cluster.log.level),
        conf_d: facts.conf_d,
        settings: operator_settings(spec, facts.minimums)?,
    };
    render("postgresql.conf", &context)
}

/// Sizes that must be the same on all nodes depend on nothing that differs between them: not memory, not processors.
fn own_sizes(cluster: &ClusterSpec) -> ParameterFloor {
    ParameterFloor {
        max_connections: match cluster.kind {
            ClusterKind::Standalone => 100,
            ClusterKind::Cluster => 300,
        },
        max_worker_processes: 16,
        // A walsender per standby, two more while one is cloned, and room for backups.
        max_wal_senders: 10 + cluster.nodes.len() as u32,
        max_prepared_transactions: 0,
        max_locks_per_transaction: 64,
    }
}

fn connections_why(kind: ClusterKind) -> &'static str {
    match kind {
        ClusterKind::Standalone => "PostgreSQL's default.",
        ClusterKind::Cluster => {
            "All pgpools together open at most 248; the rest is for direct connections, replication and repair."
        }
    }
}

/// Any K of the others, not the first K: whoever is slow or away is not waited for.
fn synchronous(cluster: &ClusterSpec, me: &Node) -> (String, String) {
    let others: Vec<String> = cluster
        .nodes
        .iter()
        .filter(|node| node.number != me.number)
        .map(|node| format!("\"{}\"", node.name.as_str().replace('"', "\"\"")))
        .collect();
    match cluster.replication {
        Replication::Async => ("Asynchronous: a failover may lose the commits of the last moments.".into(), String::new()),
        Replication::Sync if others.is_empty() => ("A single node waits for nobody.".into(), String::new()),
        Replication::Sync => {
            let acks = Quorum::of(cluster.nodes.len(), true).acks;
            let why = format!(
                "A commit waits for any {acks} of the {} other nodes: so many that every election sees it.",
                others.len()
            );
            (why, format!("ANY {acks} ({})", others.join(", ")))
        }
    }
}

fn preload(failover: FailoverMode) -> &'static str {
    match failover {
        FailoverMode::Auto | FailoverMode::Manual => "",
        FailoverMode::Repmgrd => "repmgr",
    }
}

/// PostgreSQL's names. Its LOG messages (start, recovery, checkpoints) are shown at every level but the highest two.
fn log_min_messages(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn | LogLevel::Info => "warning",
        LogLevel::Debug => "debug1",
    }
}

/// The `PGCONF_` band: as asked for, except where a smaller value would keep this node from starting.
fn operator_settings(spec: &PostgresSpec, floor: ParameterFloor) -> anyhow::Result<Vec<SettingLine>> {
    spec.settings.iter().map(|setting| operator_setting(setting, spec.cluster.failover, floor)).collect()
}

fn operator_setting(setting: &Setting, failover: FailoverMode, floor: ParameterFloor) -> anyhow::Result<SettingLine> {
    let name = setting.name.to_ascii_lowercase();
    let minimum = match name.as_str() {
        "max_connections" => floor.max_connections,
        "max_worker_processes" => floor.max_worker_processes,
        "max_wal_senders" => floor.max_wal_senders,
        "max_prepared_transactions" => floor.max_prepared_transactions,
        "max_locks_per_transaction" => floor.max_locks_per_transaction,
        _ => 0,
    };
    let (value, note) = match setting.value.trim().parse::<u32>() {
        Ok(asked) if asked < minimum => (
            minimum.to_string(),
            format!("You asked for {asked}; the data or the primary needs {minimum}, with less this node would not start."),
        ),
        _ if name == "shared_preload_libraries" && failover == FailoverMode::Repmgrd => {
            (with_repmgr(&setting.value), "repmgr is there for FAILOVER_MODE=repmgrd.".into())
        }
        _ => (setting.value.clone(), String::new()),
    };
    let value = quote::postgresql_conf(&value).with_context(|| format!("PGCONF_{}", setting.name))?;
    Ok(SettingLine { name: setting.name.clone(), value, note })
}

fn with_repmgr(libraries: &str) -> String {
    let mut list: Vec<&str> = libraries.split(',').map(str::trim).filter(|library| !library.is_empty()).collect();
    if !list.contains(&"repmgr") {
        list.insert(0, "repmgr");
    }
    list.join(",")
}

fn wanted(settings: &[Setting], name: &str) -> Option<u32> {
    settings.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))?.value.trim().parse().ok()
}
