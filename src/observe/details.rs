//! The second question to servers that answered the first: replication, metadata and the reigns. Nothing that must be fast waits for it.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Client;

use crate::model::{Details, Epoch, Failover, NodeId, NodeNumber, Receiver, RepmgrRow};
use crate::observe::certificates::in_use;
use crate::observe::peer::Sessions;

/// Around all statements to one server. A node that froze between the two questions has no details.
pub const DETAILS_DEADLINE: Duration = Duration::from_millis(400);

const SELF: &str = "
SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END::text AS replayed,
       CASE WHEN pg_is_in_recovery() THEN extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8 AS age_s,
       CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END AS replay_paused,
       NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only')::bool AS read_only,
       (SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep')::int AS commits_waiting,
       CASE WHEN current_setting('ssl')::bool THEN pg_read_file(current_setting('ssl_cert_file'), 0, 100000, true) END AS certificate,
       (SELECT coalesce(json_agg(json_build_object('name', application_name, 'state', state, 'sync_state', sync_state,
                                                   'replay_lag_s', extract(epoch FROM replay_lag))), '[]')
        FROM pg_stat_replication)::text AS receivers";

const REPMGR: &str = "
SELECT coalesce(json_agg(json_build_object('id', node_id, 'kind', type, 'active', active, 'upstream', upstream_node_id)
                         ORDER BY node_id), '[]')::text FROM repmgr.nodes";

const LAST_FAILOVER: &str = "
SELECT coalesce((SELECT json_build_array(json_build_object('epoch', epoch, 'node', node, 'reason', reason,
                                                           'at', date_trunc('second', at AT TIME ZONE 'UTC')::text || ' UTC'))
                 FROM pgcluster.epoch WHERE epoch > 1 ORDER BY epoch DESC LIMIT 1), '[]')::text";

/// Asks all servers at once, over the sessions that the first question left open.
pub async fn ask_all(sessions: &Sessions) -> Vec<(NodeNumber, Details)> {
    let questions = sessions.iter().map(|(number, client)| async move { Some((*number, ask(client).await?)) });
    futures_util::future::join_all(questions).await.into_iter().flatten().collect()
}

/// None if the server did not answer in time. What it does not have (no metadata yet) is empty.
pub async fn ask(client: &Client) -> Option<Details> {
    let all =
        async { tokio::join!(client.query_one(SELF, &[]), rows::<Row>(client, REPMGR), rows::<Reign>(client, LAST_FAILOVER)) };
    let (own, repmgr, reigns) = tokio::time::timeout(DETAILS_DEADLINE, all).await.ok()?;
    let own = own.ok()?;
    let receivers: Vec<Sender> = serde_json::from_str(own.get("receivers")).unwrap_or_default();
    Some(Details {
        replayed: own.get::<_, Option<&str>>("replayed").and_then(|text| text.parse().ok()),
        last_commit_age_s: own.get::<_, Option<f64>>("age_s").map(|age| age.max(0.0)),
        replay_paused: own.get("replay_paused"),
        read_only: own.get("read_only"),
        commits_waiting: own.get::<_, i32>("commits_waiting") as u32,
        certificate: own.get::<_, Option<&str>>("certificate").and_then(|pem| in_use(pem).into_iter().next()),
        receivers: receivers.into_iter().map(Receiver::from).collect(),
        repmgr: repmgr.into_iter().map(RepmgrRow::from).collect(),
        last_failover: reigns.into_iter().next().map(Failover::from),
    })
}

/// Rows that the server made JSON of; none if the table is not there.
pub(super) async fn rows<T: DeserializeOwned>(client: &Client, question: &str) -> Vec<T> {
    match client.query_one(question, &[]).await {
        Ok(row) => serde_json::from_str(row.get(0)).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

#[derive(Deserialize)]
struct Sender {
    name: String,
    state: Option<String>,
    sync_state: Option<String>,
    replay_lag_s: Option<f64>,
}

impl From<Sender> for Receiver {
    fn from(sender: Sender) -> Receiver {
        Receiver {
            name: sender.name,
            state: sender.state.unwrap_or_default(),
            sync_state: sender.sync_state.unwrap_or_default(),
            replay_lag_s: sender.replay_lag_s,
        }
    }
}

#[derive(Deserialize)]
struct Row {
    id: u32,
    kind: String,
    active: bool,
    upstream: Option<u32>,
}

impl From<Row> for RepmgrRow {
    fn from(row: Row) -> RepmgrRow {
        RepmgrRow { id: NodeId(row.id), kind: row.kind, active: row.active, upstream: row.upstream.map(NodeId) }
    }
}

#[derive(Deserialize)]
struct Reign {
    epoch: u64,
    node: String,
    reason: String,
    at: String,
}

impl From<Reign> for Failover {
    fn from(reign: Reign) -> Failover {
        Failover { epoch: Epoch(reign.epoch), node: reign.node, reason: reign.reason, at: reign.at }
    }
}
