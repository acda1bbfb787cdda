//! The operator's order that nobody be promoted automatically: one row, which replication carries to every node.

use anyhow::Context;
use tokio_postgres::Client;

const TABLE: &str = "CREATE TABLE IF NOT EXISTS pgcluster.pause (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    owner text NOT NULL, reason text NOT NULL, at timestamptz NOT NULL DEFAULT now())";

/// Replaces an order that is there.
pub async fn pause(primary: &Client, owner: &str, reason: &str) -> anyhow::Result<()> {
    primary.batch_execute(TABLE).await.context("make the table for the order")?;
    let statement = "INSERT INTO pgcluster.pause (owner, reason) VALUES ($1, $2) \
         ON CONFLICT (only_row) DO UPDATE SET (owner, reason, at) = (excluded.owner, excluded.reason, excluded.at)";
    primary.execute(statement, &[&owner, &reason]).await.context("write the order")?;
    event(primary, "failover_paused", &format!("{owner}: {reason}")).await
}

/// False if there was no order.
pub async fn resume(primary: &Client) -> anyhow::Result<bool> {
    primary.batch_execute(TABLE).await.context("make the table for the order")?;
    let ended = primary.execute("DELETE FROM pgcluster.pause", &[]).await.context("end the order")? > 0;
    if ended {
        event(primary, "failover_resumed", "").await?;
    }
    Ok(ended)
}

/// Into repmgr's event log, in the name of the primary.
async fn event(primary: &Client, name: &str, details: &str) -> anyhow::Result<()> {
    let statement = "INSERT INTO repmgr.events (node_id, event, successful, details) \
         SELECT node_id, $1, true, $2 FROM repmgr.nodes WHERE type = 'primary' AND active LIMIT 1";
    primary.execute(statement, &[&name, &details]).await.context("write the event")?;
    Ok(())
}
