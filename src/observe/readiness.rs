//! The question before a planned change of the primary, over the sessions that the first question left open.

use std::time::Duration;

use anyhow::Context;
use tokio_postgres::Client;

use crate::model::{NodeNumber, Readiness, Successor};
use crate::observe::details;
use crate::observe::peer::Sessions;
use crate::spec::ClusterSpec;

const DEADLINE: Duration = Duration::from_secs(2);

/// $1: names of the slots that nodes of the cluster have on a primary.
const SUCCESSOR: &str = "
SELECT current_setting('max_replication_slots')::int8 - (SELECT count(*) FROM pg_replication_slots WHERE slot_name <> ALL ($1)) AS slots,
       current_setting('max_wal_senders')::int8 - (SELECT count(*) FROM pg_stat_replication) AS senders,
       greatest(coalesce(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()), 0), 0)::int8 AS unreplayed,
       pg_is_wal_replay_paused() AS paused";

/// `primary`: whose receivers count; without one there is nothing to ask it.
pub async fn ask(cluster: &ClusterSpec, sessions: &Sessions, primary: Option<NodeNumber>) -> anyhow::Result<Readiness> {
    let names: Vec<String> = cluster.nodes.iter().flat_map(|node| [node.id().slot_name(), node.id().keeper_name()]).collect();
    let mut readiness = Readiness::default();
    for (number, client) in sessions {
        let name = &cluster.nodes[number.index()].name;
        let question = async {
            match Some(*number) == primary {
                true => read_primary(client, &mut readiness).await,
                false => {
                    readiness.standbys.extend(read_successor(client, &names).await?.map(|successor| (*number, successor)));
                    Ok(())
                }
            }
        };
        let answer = tokio::time::timeout(DEADLINE, question).await;
        answer.with_context(|| format!("ask {name} for its replication: no answer in {} s", DEADLINE.as_secs()))??;
    }
    Ok(readiness)
}

async fn read_primary(client: &Client, readiness: &mut Readiness) -> anyhow::Result<()> {
    let row = client.query_one("SELECT count(*) FROM pg_stat_progress_basebackup", &[]).await.context("ask for base backups")?;
    readiness.base_backups = row.get::<_, i64>(0) as u32;
    readiness.receivers = details::ask(client).await.context("ask the primary for its receivers")?.receivers;
    Ok(())
}

/// None of a server that is no standby.
async fn read_successor(client: &Client, names: &[String]) -> anyhow::Result<Option<Successor>> {
    if !client.query_one("SELECT pg_is_in_recovery()", &[]).await?.get::<_, bool>(0) {
        return Ok(None);
    }
    let row = client.query_one(SUCCESSOR, &[&names]).await.context("ask a standby for its slots and senders")?;
    Ok(Some(Successor {
        slots: row.get("slots"),
        senders: row.get("senders"),
        unreplayed_bytes: row.get::<_, i64>("unreplayed") as u64,
        replay_paused: row.get("paused"),
    }))
}
