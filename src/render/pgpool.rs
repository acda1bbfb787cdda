//! The files of a pgpool container, first of all `pgpool.conf`.

use anyhow::{Context as _, ensure};
use serde::Serialize;

use super::check_role::check_password;
use super::facts::{NodeStatus, PgpoolFacts};
use super::pgpool_names::{LOG_PCP_PROCESSES_SINCE, OLDEST, key};
use super::pool_passwd::pool_entry;
use super::template::{SettingLine, render, text};
use super::watchdog::{WatchdogBand, watchdog_band};
use super::{RenderedFile, paths, pcp, pgpass, pool_hba, pool_users, quote};
use crate::spec::{BackendFlag, ClusterSpec, FailoverMode, LogLevel, Node, PgpoolSpec, Secret, Setting, Watchdog};

/// Every file that a pgpool container needs before pgpool starts.
pub fn pgpool_files(spec: &PgpoolSpec, facts: &PgpoolFacts) -> anyhow::Result<Vec<RenderedFile>> {
    let users = pool_users::known(&spec.cluster, &facts.users)?;
    let mut files = vec![
        RenderedFile::private(paths::PGPOOL_CONF, pgpool_conf(spec, facts)?),
        RenderedFile::private(paths::POOL_HBA_CONF, pool_hba::pool_hba_conf(spec)?),
        RenderedFile::private(paths::KNOWN_USERS, pool_users::known_users(&users)?),
        RenderedFile::private(paths::POOL_PASSWD, pool_users::pool_passwd(&users, &facts.pool_key)?),
        RenderedFile::private(paths::PGPOOL_KEY, format!("{}\n", facts.pool_key.expose())),
        RenderedFile::private(paths::PCP_CONF, pcp::pcp_conf(&spec.pcp_user, &spec.pcp_password)?),
        RenderedFile::private(paths::PCPPASS, pcp::pcppass(&spec.pcp_user, &spec.pcp_password)?),
        RenderedFile::open(paths::PGPOOL_NODE_ID, format!("{}\n", own_number(spec))),
        RenderedFile::open(paths::PGPOOL_STATUS, pgpool_status(&spec.cluster, &facts.node_status)?),
    ];
    files.extend(pgpass::pgpass(&spec.cluster)?.map(|body| RenderedFile::private(paths::PGPASS, body)));
    Ok(files)
}

fn own_number(spec: &PgpoolSpec) -> u32 {
    spec.watchdog.as_ref().map_or(0, |watchdog| watchdog.number)
}

/// One line per backend, in order. With fewer lines, pgpool would not use the backends that are missing.
pub fn pgpool_status(cluster: &ClusterSpec, status: &[NodeStatus]) -> anyhow::Result<String> {
    ensure!(
        status.len() == cluster.nodes.len(),
        "pgpool_status needs one line per backend: {} of {} known",
        status.len(),
        cluster.nodes.len()
    );
    let line = |status: &NodeStatus| match status {
        NodeStatus::Up => "up\n",
        NodeStatus::Down => "down\n",
        NodeStatus::Unused => "unused\n",
    };
    Ok(status.iter().map(line).collect())
}

#[derive(Serialize)]
struct PgpoolConf<'a> {
    name: &'a str,
    version: String,
    backends: Vec<Backend<'a>>,
    port: u16,
    socket_dir_key: &'static str,
    work_dir_key: &'static str,
    tls_cert: String,
    tls_key: String,
    tls_ca: String,
    pool_why: String,
    num_init_children: usize,
    max_pool: usize,
    load_balance: &'static str,
    failover_why: &'static str,
    failover_command: &'a str,
    search_why: &'static str,
    search_primary_s: u64,
    sr_check_password: String,
    log_level: &'static str,
    quiet_pcp: bool,
    watchdog: WatchdogBand,
    settings: Vec<SettingLine>,
}

#[derive(Serialize)]
struct Backend<'a> {
    number: u32,
    name: &'a str,
    host: &'a str,
    port: u16,
    weight: String,
    data_dir: String,
    flag: &'static str,
}

fn pgpool_conf(spec: &PgpoolSpec, facts: &PgpoolFacts) -> anyhow::Result<String> {
    let (major, minor) = facts.version;
    ensure!(facts.version >= OLDEST, "pgpool {major}.{minor} is too old: at least {}.{} is needed", OLDEST.0, OLDEST.1);
    let pool = PoolSize::of(spec.watchdog.as_ref());
    let failover = failover(spec, facts);
    let context = PgpoolConf {
        name: &spec.name,
        version: format!("{major}.{minor}"),
        backends: backends(&spec.cluster)?,
        port: spec.port,
        socket_dir_key: key("unix_socket_directories", facts.version),
        work_dir_key: key("work_dir", facts.version),
        tls_cert: text(&facts.tls.cert)?,
        tls_key: text(&facts.tls.key)?,
        tls_ca: facts.tls.ca.as_deref().map(text).transpose()?.unwrap_or_default(),
        pool_why: pool.why,
        num_init_children: pool.children,
        max_pool: pool.max_pool,
        load_balance: on_off(spec.cluster.nodes.len() > 1),
        failover_why: failover.command_why,
        failover_command: failover.command,
        search_why: failover.search_why,
        search_primary_s: failover.search_s,
        sr_check_password: sr_check_password(&spec.cluster, &facts.pool_key)?,
        log_level: log_min_messages(spec.cluster.log.level),
        quiet_pcp: facts.version >= LOG_PCP_PROCESSES_SINCE,
        watchdog: watchdog_band(spec, facts.version)?,
        settings: operator_settings(&spec.settings)?,
    };
    render("pgpool.conf", &context)
}

const SR_CHECK_PASSWORD: &str = "sr_check_password";

fn sr_check_password(cluster: &ClusterSpec, pool_key: &Secret) -> anyhow::Result<String> {
    let repmgr = cluster.repmgr_password.as_ref().context("pgpool needs REPMGRPWD: its check role's password derives from it")?;
    Ok(pool_entry(check_password(repmgr).expose(), pool_key.expose())?)
}

/// The same `pgpool.conf` with the check role's password of this cluster.
pub fn with_sr_check_password(conf: &str, cluster: &ClusterSpec, pool_key: &Secret) -> anyhow::Result<String> {
    let new = format!("{SR_CHECK_PASSWORD} = {}", quote::pgpool_conf(&sr_check_password(cluster, pool_key)?)?);
    let is_it = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == SR_CHECK_PASSWORD);
    Ok(conf.lines().map(|line| if is_it(line) { new.as_str() } else { line }).flat_map(|line| [line, "\n"]).collect())
}

fn backends(cluster: &ClusterSpec) -> anyhow::Result<Vec<Backend<'_>>> {
    cluster.nodes.iter().map(backend).collect()
}

fn backend(node: &Node) -> anyhow::Result<Backend<'_>> {
    Ok(Backend {
        number: node.number.0,
        name: node.name.as_str(),
        host: &node.host,
        port: node.port,
        weight: node.weight.to_string(),
        data_dir: text(&node.data_dir)?,
        flag: match node.flag {
            BackendFlag::AllowToFailover => "ALLOW_TO_FAILOVER",
            BackendFlag::DisallowToFailover => "DISALLOW_TO_FAILOVER",
        },
    })
}

/// Server connections that all pgpools together may hold: fits the 300 of our postgresql.conf, less its reserve.
const SERVER_CONNECTIONS: usize = 248;

struct PoolSize {
    why: String,
    children: usize,
    max_pool: usize,
}

impl PoolSize {
    /// Too many connections look like dead backends to pgpool, so every pgpool gets only its share.
    fn of(watchdog: Option<&Watchdog>) -> PoolSize {
        let pgpools = watchdog.map_or(1, |watchdog| watchdog.members.len().max(1));
        let max_pool = if pgpools == 1 { 4 } else { 2 };
        let children = SERVER_CONNECTIONS / (max_pool * pgpools);
        let why = format!(
            "children x pool x {pgpools} pgpool: at most {SERVER_CONNECTIONS} connections per server, of its max_connections 300. More clients wait in line."
        );
        PoolSize { why, children, max_pool }
    }
}

struct Failover<'a> {
    command: &'a str,
    command_why: &'static str,
    search_s: u64,
    search_why: &'static str,
}

fn failover<'a>(spec: &PgpoolSpec, facts: &'a PgpoolFacts) -> Failover<'a> {
    match spec.cluster.failover {
        FailoverMode::Auto => Failover {
            command: &facts.failover_command,
            command_why: "A hint, no order: the command asks every node itself, and promotes only if the primary is really gone.",
            search_s: 1,
            search_why: "The command returns only when there is a primary, so there is little to search.",
        },
        FailoverMode::Manual => Failover {
            command: "",
            command_why: "FAILOVER_MODE=manual: pgpool only takes the node out; you promote (pgcluster promote).",
            search_s: 1,
            search_why: "Clients wait while pgpool searches; without a primary they may as well read. 0 would be for ever.",
        },
        FailoverMode::Repmgrd => Failover {
            command: "",
            command_why: "FAILOVER_MODE=repmgrd: pgpool only takes the node out; repmgrd promotes.",
            search_s: spec.cluster.failover_after.as_secs() + 20,
            search_why: "As long as repmgrd needs: FAILOVER_AFTER, and the promotion.",
        },
    }
}

/// pgpool's names; its LOG messages are shown at `warning` too.
fn log_min_messages(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Error => "error",
        LogLevel::Warn | LogLevel::Info => "warning",
        LogLevel::Debug => "debug1",
    }
}

fn operator_settings(settings: &[Setting]) -> anyhow::Result<Vec<SettingLine>> {
    let line = |setting: &Setting| {
        let value = quote::pgpool_conf(&setting.value).with_context(|| format!("PGPOOL_{}", setting.name))?;
        Ok(SettingLine { name: setting.name.clone(), value, note: String::new() })
    };
    settings.iter().map(line).collect()
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
