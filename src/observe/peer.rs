//! Asks a node over SQL what it is: one connection, one statement, one deadline.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join3;
use futures_util::stream::FuturesUnordered;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::link::trust::mistrust;
use crate::link::{Address, Link, Trust};
use crate::model::{
    ClusterView, Epoch, History, Lsn, NodeNumber, NodeState, ParameterFloor, Reach, Role, RoomState, Timeline, conninfo_value,
    foreign,
};
use crate::spec::{ClusterSpec, Node, PostgresSpec};

/// Deadline around one question, name look-up included.
pub const ASK_DEADLINE: Duration = Duration::from_millis(1000);

/// Everything that a start, a promotion or `status` wants to know, in one round trip; works on primaries and standbys.
/// Columns without a meaning on this role are null.
///
/// The timeline of a standby is the furthest that it received or replayed. Only the names of its WAL segments know it at any time: the
/// receiver's is what it asked for, and the control file knows the last restartpoint.
///
/// A standby keeps up if it lacks at most one segment of what its primary said it has (`latest_end_lsn`).
const QUESTION: &str = "
WITH self AS (SELECT pg_is_in_recovery() AS standby),
     receiver AS (SELECT extract(epoch FROM clock_timestamp() - last_msg_receipt_time) * 1000 AS silent_ms,
                         latest_end_lsn - flushed_lsn <= pg_size_bytes(current_setting('wal_segment_size')) AS keeps_up
                  FROM pg_stat_wal_receiver WHERE status = 'streaming'),
     segments AS (SELECT max(('x' || substr(name, 1, 8))::bit(32)::int) AS tli, min(substr(name, 9)) AS first
                  FROM pg_ls_waldir() WHERE name ~ '^[0-9A-F]{24}$'),
     line AS (SELECT CASE WHEN standby
                THEN greatest((SELECT tli FROM segments), (SELECT timeline_id FROM pg_control_checkpoint()),
                              (SELECT min_recovery_end_timeline FROM pg_control_recovery()))
                ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int END AS tli FROM self)
SELECT (SELECT system_identifier FROM pg_control_system())::text AS system_id,
       standby,
       tli::int8 AS timeline,
       CASE WHEN standby THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) ELSE pg_current_wal_flush_lsn() END::text AS lsn,
       coalesce(current_setting('pgcluster.promised_epoch', true), '') AS promised,
       coalesce(current_setting('pgcluster.reign', true), '') AS reign,
       current_setting('primary_conninfo') AS upstream,
       (SELECT first FROM segments) AS first_segment,
       pg_size_bytes(current_setting('wal_segment_size')) AS segment_bytes,
       (SELECT silent_ms FROM receiver)::float8 AS silent_ms,
       coalesce((SELECT keeps_up FROM receiver), false) AS keeps_up,
       coalesce(pg_read_file('pg_wal/' || lpad(upper(to_hex(tli)), 8, '0') || '.history', 0, 1000000, true), '') AS history,
       pg_postmaster_start_time() > clock_timestamp() - interval '60 s' AS is_new,
       coalesce(pg_read_file('/run/pgcluster/joined', 0, 100, true), '') AS joined,
       coalesce(pg_read_file('/run/pgcluster/heard', 0, 100, true), '') AS memory,
       ARRAY[current_setting('max_connections'), current_setting('max_worker_processes'), current_setting('max_wal_senders'),
             current_setting('max_prepared_transactions'), current_setting('max_locks_per_transaction')]::int[] AS parameters,
       to_regclass('pgcluster.epoch') IS NOT NULL AS has_epoch,
       to_regclass('pgcluster.pause') IS NOT NULL AS has_pause
FROM self, line";

const REIGNS: &str = "SELECT coalesce(array_agg(epoch ORDER BY epoch), '{}') FROM pgcluster.epoch";
/// The table is made by the first `pgcluster pause`.
const PAUSED: &str = "SELECT owner || ', since ' || to_char(at, 'YYYY-MM-DD HH24:MI TZ') || ': ' || reason FROM pgcluster.pause";

/// Asks all given nodes at once.
pub async fn look(cluster: &ClusterSpec, nodes: impl Iterator<Item = &Node>) -> ClusterView {
    let questions = nodes.map(|node| async move { (node.number, ask(cluster, node).await) });
    let hosts = cluster.nodes.iter().map(|node| (node.number, node.host.clone())).collect();
    ClusterView { nodes: futures_util::future::join_all(questions).await, hosts }
}

/// Asks this container's own server, over its socket: a standalone node may have no password for `repmgr`.
pub async fn look_at_self(spec: &PostgresSpec) -> (ClusterView, Sessions) {
    let address = Address::Socket { dir: "/run/postgresql".into(), port: spec.node().port, user: spec.superuser.name.clone() };
    let (reach, session) = ask_in_time(&address).await;
    let view = ClusterView { nodes: vec![(spec.me, reach)], hosts: Vec::new() };
    (view, session.map(|client| (spec.me, client)).into_iter().collect())
}

/// Asks every node but `me`.
pub async fn look_at_others(cluster: &ClusterSpec, me: NodeNumber) -> ClusterView {
    look(cluster, cluster.nodes.iter().filter(|node| node.number != me)).await
}

/// The sessions over which serving nodes were asked, still open.
pub type Sessions = Vec<(NodeNumber, Session)>;

/// Over which a node is asked again and again. It knows from the time before which tables there are, and asks for all in one round trip.
pub struct Session {
    link: Link,
    tables: Cell<Tables>,
}

/// Of database `repmgr`; none of them is ever taken away.
#[derive(Clone, Copy, Default)]
struct Tables {
    epoch: bool,
    pause: bool,
}

impl Session {
    pub fn new(link: Link) -> Session {
        Session { link, tables: Cell::default() }
    }

    /// What the server is now.
    pub async fn read(&self) -> anyhow::Result<NodeState> {
        let (state, tables) = read_knowing(&self.link, self.tables.get()).await?;
        self.tables.set(tables);
        Ok(state)
    }
}

impl Deref for Session {
    type Target = Link;

    fn deref(&self) -> &Link {
        &self.link
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

/// Asks every node at once, but once the answers are enough, whoever is still silent gets `patience` more: a dead container's name
/// resolves for a moment longer, and connecting to its address takes the whole deadline. `sessions` of before are used again.
pub async fn look_impatiently(
    cluster: &ClusterSpec,
    sessions: Sessions,
    is_enough: impl Fn(&ClusterView) -> bool,
    patience: Duration,
) -> (ClusterView, Sessions) {
    let mut open: BTreeMap<NodeNumber, Session> = sessions.into_iter().collect();
    let mut questions: FuturesUnordered<_> = cluster
        .nodes
        .iter()
        .map(|node| (node, open.remove(&node.number)))
        .map(|(node, session)| async move { (node.number, ask_over(session, cluster, node).await) })
        .collect();
    let hosts = cluster.nodes.iter().map(|node| (node.number, node.host.clone())).collect();
    let mut view = ClusterView { nodes: Vec::new(), hosts };
    let mut sessions = Vec::new();
    while !questions.is_empty() {
        let answer = match is_enough(&view) {
            true => tokio::time::timeout(patience, questions.next()).await.unwrap_or(None),
            false => questions.next().await,
        };
        let Some((number, (reach, session))) = answer else { break };
        view.nodes.push((number, reach));
        sessions.extend(session.map(|client| (number, client)));
    }
    for node in cluster.nodes.iter().filter(|node| view.reach(node.number).is_none()).collect::<Vec<_>>() {
        view.nodes.push((node.number, Reach::Silent { reason: "no answer yet".into() }));
    }
    view.nodes.sort_by_key(|(number, _)| *number);
    (view, sessions)
}

/// Asks every node at once, and keeps the sessions of those that serve.
pub async fn look_and_stay(cluster: &ClusterSpec) -> (ClusterView, Sessions) {
    look_impatiently(cluster, Sessions::new(), |_| false, Duration::ZERO).await
}

/// Asks one node. Never fails: not answering is an answer.
pub async fn ask(cluster: &ClusterSpec, node: &Node) -> Reach {
    ask_and_stay(cluster, node).await.0
}

/// Over a session of before, if it still lives.
async fn ask_over(session: Option<Session>, cluster: &ClusterSpec, node: &Node) -> (Reach, Option<Session>) {
    if let Some(session) = session.filter(|session| !session.is_closed()) {
        match tokio::time::timeout(ASK_DEADLINE, session.read()).await {
            Ok(Ok(state)) => return (Reach::Serving(Box::new(state)), Some(session)),
            Ok(Err(_)) => {}
            Err(_) => return (late(), None),
        }
    }
    ask_and_stay(cluster, node).await
}

async fn ask_and_stay(cluster: &ClusterSpec, node: &Node) -> (Reach, Option<Session>) {
    ask_in_time(&control_address(cluster, node)).await
}

async fn ask_in_time(address: &Address) -> (Reach, Option<Session>) {
    match tokio::time::timeout(ASK_DEADLINE, ask_at(address)).await {
        Ok(answer) => answer,
        Err(_) => (late(), None),
    }
}

fn late() -> Reach {
    Reach::Silent { reason: format!("no answer in {} ms", ASK_DEADLINE.as_millis()) }
}

/// What the standby's health check remembers (`act::memory::HEARD_FILE`): it kept up at most 60 s before its primary's last sign of life.
fn kept_up_before(memory: &str) -> bool {
    let mut seconds = memory.split_whitespace().map(str::parse::<u64>);
    match (seconds.next(), seconds.next()) {
        (Some(Ok(kept_up)), Some(Ok(alive))) => kept_up + 60 >= alive,
        _ => false,
    }
}

/// A standby that is younger than its first health check has caught up if it holds what its primary had when it joined
/// (`act::memory::JOINED_FILE`).
fn has_caught_up(joined: &str, lsn: Lsn) -> bool {
    joined.trim().parse::<Lsn>().is_ok_and(|primary_had| lsn >= primary_had)
}

/// Who listens on a port of this container: the server, or the waiting room before it. No password is offered.
pub async fn ask_local(port: u16) -> Reach {
    let (host, user) = ("127.0.0.1".into(), "repmgr".into());
    let address = Address::Tcp { host, port, user, password: None, other: None, trust: Trust::ChannelBinding };
    ask_at(&address).await.0
}

/// The control channel to a node: role `repmgr`.
pub fn control_address(cluster: &ClusterSpec, node: &Node) -> Address {
    let other = cluster.other_password.as_ref().map(|other| other.secret().clone());
    Address::of(cluster, node, "repmgr", cluster.repmgr_password.clone()).or_with(other)
}

async fn ask_at(address: &Address) -> (Reach, Option<Session>) {
    let error = match address.connect("repmgr").await.map(Session::new) {
        Ok(session) => match session.read().await {
            Ok(state) => return (Reach::Serving(Box::new(state)), Some(session)),
            Err(error) => match error.downcast::<tokio_postgres::Error>() {
                Ok(error) => error,
                Err(other) => return (Reach::Refused { reason: foreign::one_line(&format!("{other:#}")) }, None),
            },
        },
        Err(error) => error,
    };
    let reach = match error.as_db_error() {
        Some(db) => refusal(db),
        None if is_plain_server(&error) => ask_plain(address).await,
        None if let Some(reason) = mistrust(&error) => Reach::Untrusted { reason: foreign::one_line(&reason) },
        None => Reach::Silent { reason: foreign::one_line(&format!("{:#}", anyhow::Error::new(error))) },
    };
    (reach, None)
}

/// The state of the server behind an open connection to database `repmgr` (or any other: then without an epoch).
pub async fn read_state(client: &Client) -> anyhow::Result<NodeState> {
    Ok(read_knowing(client, Tables::default()).await?.0)
}

/// Asks tables that are not `known` to be there after the answer that they are. On a busy machine every answer is waited for.
async fn read_knowing(client: &Client, known: Tables) -> anyhow::Result<(NodeState, Tables)> {
    let if_there = async |is_there: bool, question| match is_there {
        true => client.query_typed_opt(question, &[]).await,
        false => Ok(None),
    };
    let (row, early_reigns, early_pause) =
        try_join3(client.query_typed_one(QUESTION, &[]), if_there(known.epoch, REIGNS), if_there(known.pause, PAUSED)).await?;
    let tables = Tables { epoch: row.get("has_epoch"), pause: row.get("has_pause") };
    let late_reigns = if_there(tables.epoch && !known.epoch, REIGNS).await?;
    let late_pause = if_there(tables.pause && !known.pause, PAUSED).await?;
    let reigns: Vec<i64> = early_reigns.or(late_reigns).map(|row| row.get(0)).unwrap_or_default();
    let paused = early_pause.or(late_pause).map(|row| row.get(0));
    let reigns: Vec<Epoch> = reigns.into_iter().map(|epoch| Epoch(epoch as u64)).collect();
    let epoch = |column: &str| Epoch(row.get::<_, &str>(column).parse().unwrap_or(0));
    let standby: bool = row.get("standby");
    let timeline = Timeline(row.get::<_, i64>("timeline") as u32);
    let lsn = row.get::<_, Option<&str>>("lsn").map(str::parse::<Lsn>).transpose()?.unwrap_or(Lsn(0));
    let keeps_up: bool = row.get("keeps_up");
    let caught_up = row.get("is_new") && has_caught_up(row.get("joined"), lsn);
    let first_segment: Option<&str> = row.get("first_segment");
    let parameters: Vec<i32> = row.get("parameters");
    let conninfo: &str = row.get("upstream");
    let state = NodeState {
        system_id: row.get::<_, &str>("system_id").parse()?,
        role: if standby { Role::Standby } else { Role::Primary },
        timeline,
        lsn,
        wal_from: first_segment.and_then(|name| Lsn::of_segment(name, row.get::<_, i64>("segment_bytes") as u64)),
        data_epoch: reigns.last().copied(),
        promised_epoch: epoch("promised"),
        reign: epoch("reign"),
        reigns,
        upstream: if standby { conninfo_value(conninfo, "host") } else { None },
        receiver_silent_ms: row.get::<_, Option<f64>>("silent_ms").map(|ms| ms.max(0.0) as u64),
        keeps_up,
        heard_recently: keeps_up || caught_up || kept_up_before(row.get("memory")),
        parameters: ParameterFloor::from_values(std::array::from_fn(|i| parameters.get(i).copied().unwrap_or(0) as u32)),
        paused,
        history: History::parse(timeline, row.get("history"))?,
    };
    Ok((state, tables))
}

fn refusal(db: &tokio_postgres::error::DbError) -> Reach {
    // A server that goes down tells its sessions so with the other two.
    let is_coming_or_going =
        [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN].contains(db.code());
    if !is_coming_or_going {
        return Reach::Refused { reason: foreign::one_line(db.message()) };
    }
    match RoomState::parse(db.message(), db.detail()) {
        Some(room) => Reach::Waiting(room),
        None => Reach::NotYet { reason: foreign::one_line(db.message()) },
    }
}

/// tokio-postgres has no kind to match on: its `tls_error` says this when the server answered 'N' to the SSLRequest.
fn is_plain_server(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.to_string().contains("server does not support TLS"))
}

/// A server without TLS is a waiting room or none of ours. No password is offered to it.
async fn ask_plain(address: &Address) -> Reach {
    let Address::Tcp { host, port, user, trust, .. } = address else {
        return Reach::Refused { reason: "no TLS".into() };
    };
    // Ours always speak TLS. What anybody on the way could have said proves nothing where certificates do.
    if matches!(trust, Trust::Authority(_)) {
        return Reach::Untrusted { reason: "it offers no TLS, and certificates are verified here".into() };
    }
    let mut config = tokio_postgres::Config::new();
    config.host(host).port(*port).user(user).dbname("repmgr");
    match config.connect(tokio_postgres::NoTls).await {
        Ok(_) => Reach::Refused { reason: "the server offers no TLS and asks for no password".into() },
        Err(error) => match error.as_db_error() {
            Some(db) => refusal(db),
            None => Reach::Refused { reason: "the server offers no TLS".into() },
        },
    }
}
