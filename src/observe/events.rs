//! What happened, as the servers have it: `repmgr.events` and the reigns of `pgcluster.epoch`.

use serde::Deserialize;
use tokio_postgres::Client;

use crate::model::{Event, NodeId};
use crate::observe::details::{DETAILS_DEADLINE, rows};
use crate::spec::ClusterSpec;

const REPMGR_EVENTS: &str = "
SELECT coalesce(json_agg(json_build_object(
         'at', to_char(event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), 'node_id', node_id, 'node', null,
         'event', event, 'successful', successful, 'details', details)), '[]')::text
FROM (SELECT * FROM repmgr.events ORDER BY event_timestamp DESC LIMIT 1000) AS newest";

const REIGNS: &str = "
SELECT coalesce(json_agg(json_build_object(
         'at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), 'node_id', null, 'node', node,
         'event', 'epoch ' || epoch, 'successful', true, 'details', reason)), '[]')::text
FROM (SELECT * FROM pgcluster.epoch ORDER BY epoch DESC LIMIT 1000) AS newest";

#[derive(Deserialize)]
struct Row {
    at: String,
    node_id: Option<u32>,
    node: Option<String>,
    event: String,
    successful: bool,
    details: Option<String>,
}

/// The newest of both, oldest first. A table that is not there has no rows.
pub async fn read(client: &Client, cluster: &ClusterSpec) -> anyhow::Result<Vec<Event>> {
    let both = async { tokio::join!(rows::<Row>(client, REPMGR_EVENTS), rows::<Row>(client, REIGNS)) };
    let Ok((events, reigns)) = tokio::time::timeout(DETAILS_DEADLINE * 5, both).await else {
        anyhow::bail!("read the events: no answer in {} ms", (DETAILS_DEADLINE * 5).as_millis());
    };
    let event = |source: &str, row: Row| Event {
        at: row.at,
        source: source.into(),
        node: row.node.unwrap_or_else(|| name(cluster, row.node_id)),
        event: row.event,
        successful: row.successful,
        details: row.details,
    };
    let mut all: Vec<Event> = events.into_iter().map(|row| event("repmgr", row)).collect();
    all.extend(reigns.into_iter().map(|row| event("epoch", row)));
    all.sort_by(|one, other| one.at.cmp(&other.at));
    Ok(all)
}

fn name(cluster: &ClusterSpec, id: Option<u32>) -> String {
    let id = NodeId(id.unwrap_or(0));
    cluster.nodes.iter().find(|node| node.id() == id).map_or_else(|| format!("node {id}"), |node| node.name.to_string())
}
