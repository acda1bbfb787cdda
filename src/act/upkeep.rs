//! What a healthy primary keeps true while it reigns: `repmgr.nodes`. Slots that nobody of the cluster uses are told, never dropped.

use anyhow::Context;
use tokio_postgres::Client;

use crate::model::{ClusterView, NodeId, NodeNumber, Role};
use crate::plan::metadata::{Row, wrong_rows};
use crate::plan::provision::{upsert_primary, upsert_standby};
use crate::spec::ClusterSpec;

/// What was mended and what was noticed, one line each. `local`: a session on this primary, in database `repmgr`.
pub async fn keep_true(
    local: &Client,
    cluster: &ClusterSpec,
    me: NodeNumber,
    others: &ClusterView,
) -> anyhow::Result<Vec<String>> {
    let mut said = Vec::new();
    for (number, role) in wrong_rows(me, others, &read_rows(local).await?) {
        let statement = match role {
            Role::Primary => upsert_primary(cluster, number)?,
            Role::Standby => upsert_standby(cluster, number, me)?,
        };
        local.batch_execute(&statement).await.with_context(|| format!("correct the row of node {number} in repmgr.nodes"))?;
        said.push(format!("corrected the row of node {number} in repmgr.nodes"));
    }
    said.extend(orphan_slots(local, cluster).await?);
    Ok(said)
}

async fn read_rows(local: &Client) -> anyhow::Result<Vec<Row>> {
    let question = "SELECT node_id, type, active, upstream_node_id FROM repmgr.nodes";
    let rows = local.query(question, &[]).await.context("read repmgr.nodes")?;
    let id = |number: i32| NodeId(number as u32);
    let row = |row: &tokio_postgres::Row| Row {
        id: id(row.get(0)),
        kind: row.get(1),
        active: row.get(2),
        upstream: row.get::<_, Option<i32>>(3).map(id),
    };
    Ok(rows.iter().map(row).collect())
}

/// Inactive slots that belong to no node: they keep WAL, up to `max_slot_wal_keep_size`.
async fn orphan_slots(local: &Client, cluster: &ClusterSpec) -> anyhow::Result<Vec<String>> {
    let ours: Vec<String> =
        cluster.nodes.iter().flat_map(|node| [node.number.id().slot_name(), node.number.id().keeper_name()]).collect();
    let question = "SELECT slot_name, pg_size_pretty(pg_current_wal_flush_lsn() - restart_lsn) FROM pg_replication_slots \
                    WHERE NOT active AND NOT temporary AND slot_name <> ALL ($1)";
    let rows = local.query(question, &[&ours]).await.context("read the slots")?;
    let kept = |row: &tokio_postgres::Row| row.get::<_, Option<String>>(1).unwrap_or_else(|| "no WAL".into());
    Ok(rows.iter().map(|row| format!("slot {} is used by nobody and keeps {}", row.get::<_, &str>(0), kept(row))).collect())
}
