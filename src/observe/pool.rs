//! Asks the pgpool of this container: whether it serves, and over PCP what it believes of its backends.

use std::fs;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tokio_postgres::config::ChannelBinding;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::link::CONNECT_DEADLINE;
use crate::model::{ClusterView, NodeNumber, PoolView, Reach};
use crate::pcp::Pcp;
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::render::paths::PGPOOL_STATUS;
use crate::spec::PgpoolSpec;

pub const SOCKET_DIR: &str = "/run/pgpool";

/// Which backends pgpool has up and down, from the status file that it writes at each change: over PCP it would ping a frozen node
/// before it says a word. `unused` ones are neither.
pub fn read_status_file() -> StatusFile {
    let text = fs::read_to_string(PGPOOL_STATUS).unwrap_or_default();
    let with = |word: &str| {
        (0..).map(NodeNumber).zip(text.lines()).filter(|(_, line)| line.trim() == word).map(|(number, _)| number).collect()
    };
    StatusFile { up: with("up"), down: with("down") }
}

/// When pgpool last changed its mind about any backend: when it wrote its status file.
pub fn changed_at() -> Option<SystemTime> {
    fs::metadata(PGPOOL_STATUS).and_then(|file| file.modified()).ok()
}

#[derive(Clone, Debug, Default)]
pub struct StatusFile {
    pub up: Vec<NodeNumber>,
    pub down: Vec<NodeNumber>,
}

/// Logs in through pgpool as its own check role, which needs a backend that answers.
/// By the socket: pgpool knows no channel binding, and nobody but this container is in between.
pub async fn log_in(spec: &PgpoolSpec) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config(spec, "pgcluster").connect(NoTls).await?;
    drop(client);
    // Says goodbye; pgpool logs a line about a client that just goes.
    connection.await
}

/// The same, and stays connected, idle, until pgpool ends the session; an error if it never began.
pub async fn stay(spec: &PgpoolSpec) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = config(spec, "pgcluster tripwire").connect(NoTls).await?;
    let _ = connection.await;
    drop(client);
    Ok(())
}

/// The same, and `SHOW POOL_VERSION`: `4.6.1 (chirikoboshi)`.
pub async fn ask_version(spec: &PgpoolSpec) -> Result<String, tokio_postgres::Error> {
    let (client, connection) = config(spec, "pgcluster").connect(NoTls).await?;
    let question = async {
        let messages = client.simple_query("SHOW POOL_VERSION").await;
        drop(client);
        messages
    };
    let (messages, ended) = tokio::join!(question, connection);
    let version = messages?.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    ended?;
    Ok(version.unwrap_or_default())
}

/// Whether it lets nobody in because it expects the answers in another order: the main node's, in its words, was none yet
/// (`pool_read_kind` in pool_proto_modules.c).
pub fn is_locked_out(error: &tokio_postgres::Error) -> bool {
    let detail = error.as_db_error().and_then(|db| db.detail());
    detail.is_some_and(|detail| detail.contains("kind does not match between main(0)"))
}

fn config(spec: &PgpoolSpec, application: &str) -> tokio_postgres::Config {
    let mut config = tokio_postgres::Config::new();
    config.host_path(SOCKET_DIR).port(spec.port).user(CHECK_ROLE).dbname("postgres").application_name(application);
    config.channel_binding(ChannelBinding::Disable).connect_timeout(CONNECT_DEADLINE);
    if let Some(password) = &spec.cluster.repmgr_password {
        config.password(check_password(password).expose());
    }
    config
}

/// For what a pgpool believes of nodes that did not answer us: it pings a backend before it speaks of it.
const PATIENCE: Duration = Duration::from_millis(300);

/// Everything that it believes, as far as it says so soon. Who answered us comes first, see [`read`].
pub async fn read_all(pcp: &mut Pcp, view: &ClusterView) -> PoolView {
    let (living, others): (Vec<_>, Vec<_>) = view.nodes.iter().partition(|(_, reach)| reach.serving().is_some());
    let numbers = |nodes: Vec<&(NodeNumber, Reach)>| nodes.into_iter().map(|(number, _)| *number).collect::<Vec<_>>();
    let mut believed = read(pcp, numbers(living).into_iter()).await;
    let deadline = Instant::now() + PATIENCE;
    for number in numbers(others) {
        let Ok(Ok(backend)) = tokio::time::timeout_at(deadline, pcp.node_info(number)).await else { break };
        believed.backends.push((number, backend));
    }
    believed
}

/// Asks about each node in turn. pgpool pings a backend before it speaks of it, and the first late answer ends the round: put those
/// first that are known to live. What is missing in the result is unknown.
pub async fn read(pcp: &mut Pcp, numbers: impl Iterator<Item = NodeNumber>) -> PoolView {
    let mut view = PoolView::default();
    for number in numbers {
        match pcp.node_info(number).await {
            Ok(backend) => view.backends.push((number, backend)),
            Err(error) => {
                tracing::debug!("{error:#}");
                break;
            }
        }
    }
    view
}
