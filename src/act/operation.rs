//! One operator at a time: an advisory lock on the primary, or where there may be none on every server, held by sessions that say who it
//! is.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio_postgres::Client;

use crate::link::Link;
use crate::model::NodeNumber;
use crate::observe::peer::{Sessions, control_address};
use crate::spec::ClusterSpec;

/// "operator" as a number.
const LOCK_KEY: i64 = 0x6f70_6572_6174_6f72;
const DEADLINE: Duration = Duration::from_secs(3);

/// The right to change the cluster, for as long as this lives; and the session on the primary that holds it.
pub struct Operation {
    pub primary: Link,
}

impl Operation {
    /// Fails with who is at it, where, and since when.
    pub async fn begin(cluster: &ClusterSpec, primary: NodeNumber, command: &str) -> anyhow::Result<Operation> {
        let client = control_address(cluster, &cluster.nodes[primary.index()]).connect_in_time("repmgr").await?;
        lock(&client, command).await?;
        Ok(Operation { primary: client })
    }
}

/// The same right where there may be no primary: on every server that was asked, one after the other in the order of the nodes. Two
/// operators meet on the first that both reach. It lasts as long as the sessions, which are returned.
pub async fn begin_everywhere(cluster: &ClusterSpec, mut sessions: Sessions, command: &str) -> anyhow::Result<Sessions> {
    sessions.sort_by_key(|(number, _)| *number);
    for (number, client) in &sessions {
        let name = &cluster.nodes[number.index()].name;
        lock(client, command).await.with_context(|| format!("take the operators' lock of {name}"))?;
    }
    Ok(sessions)
}

async fn lock(client: &Client, command: &str) -> anyhow::Result<()> {
    let work = async {
        let host = nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let name = format!("pgcluster {command} in {host}");
        client.query_one("SELECT set_config('application_name', $1, false)", &[&name]).await?;
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK_KEY]).await?;
        if row.get::<_, bool>(0) {
            return Ok(());
        }
        bail!("another operator is at it: {}", who(client).await?);
    };
    tokio::time::timeout(DEADLINE, work).await.context("ask for the operators' lock")?
}

async fn who(client: &Client) -> anyhow::Result<String> {
    let question = "SELECT a.application_name || ', since ' || to_char(a.backend_start, 'HH24:MI:SS TZ') \
         FROM pg_locks l JOIN pg_stat_activity a USING (pid) \
         WHERE l.locktype = 'advisory' AND l.granted AND (l.classid::bigint << 32 | l.objid::bigint) = $1";
    let row = client.query_opt(question, &[&LOCK_KEY]).await?;
    Ok(row.map_or_else(|| "it has just ended, try again".into(), |row| row.get(0)))
}
