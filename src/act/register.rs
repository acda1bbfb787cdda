//! A follower announces itself on the primary before it starts: its slot and its row in repmgr's metadata.

use anyhow::Context;
use tokio_postgres::Client;

use crate::model::NodeNumber;
use crate::plan::provision;
use crate::render::quote::sql_literal;
use crate::spec::ClusterSpec;

/// Creates the node's physical slot on the primary if it is not there, from the position that was kept for it since the promotion.
/// WAL is kept from now on, before the copy begins.
pub async fn ensure_slot(primary: &Client, me: NodeNumber) -> anyhow::Result<()> {
    let (slot, keeper) = (sql_literal(&me.id().slot_name())?, sql_literal(&me.id().keeper_name())?);
    let is_missing = format!("NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = {slot})");
    let statements = [
        // Nothing streams from a slot whose WAL is gone.
        format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {slot} AND wal_status = 'lost' AND NOT active"
        ),
        format!(
            "SELECT pg_copy_physical_replication_slot({keeper}, {slot}) FROM pg_replication_slots \
             WHERE slot_name = {keeper} AND restart_lsn IS NOT NULL AND wal_status <> 'lost' AND {is_missing}"
        ),
        format!("SELECT pg_create_physical_replication_slot({slot}, true) WHERE {is_missing}"),
        format!("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = {keeper} AND NOT active"),
    ];
    for statement in statements {
        primary.batch_execute(&statement).await.with_context(|| format!("create slot {slot} on the primary"))?;
    }
    Ok(())
}

/// Slot and rows of `repmgr.nodes`: this node is a standby of `upstream`, and `upstream` is the primary. No write if it is so already.
pub async fn register_standby(
    primary: &Client,
    cluster: &ClusterSpec,
    me: NodeNumber,
    upstream: NodeNumber,
) -> anyhow::Result<()> {
    ensure_slot(primary, me).await?;
    let statements = [provision::upsert_primary(cluster, upstream)?, provision::upsert_standby(cluster, me, upstream)?];
    primary.batch_execute(&statements.join(";\n")).await.context("register in repmgr.nodes")
}
