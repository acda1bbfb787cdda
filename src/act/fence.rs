//! Stops a server from outside, through the side door: as `repmgr`, who is superuser, by `COPY … TO PROGRAM`. Its container's restart
//! policy starts it again, and the start decides anew what it must be.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio_postgres::Client;
use tokio_postgres::error::DbError;

use crate::model::{Epoch, NodeNumber, Role};
use crate::observe::peer::{control_address, read_state};
use crate::plan::fence::Stale;
use crate::spec::ClusterSpec;

/// For everything: a server that was just thawed has other things to do first.
const DEADLINE: Duration = Duration::from_millis(1500);
/// The command inside that container which sends SIGINT to the postmaster of `postmaster.pid`.
const ORDER: &str = "COPY (SELECT 1) TO PROGRAM 'pgcluster stop >/dev/null'";

/// Stops all of them; one line each.
pub async fn stop_all(cluster: &ClusterSpec, stale: &[Stale]) -> Vec<String> {
    let mut lines = Vec::new();
    for Stale { number, reign, because } in stale {
        let name = cluster.nodes[number.index()].name.as_str();
        lines.push(match stop_stale(cluster, *number, *reign).await {
            Ok(()) => format!("stopped {name}: {because}"),
            Err(error) => format!("stop {name}: {error:#}"),
        });
    }
    lines
}

/// A fast shutdown of the server behind this session.
pub async fn order_stop(client: &Client) -> anyhow::Result<()> {
    match client.batch_execute(ORDER).await {
        // The shutdown may end our session before its answer is out.
        Err(error) if error.is_closed() || error.as_db_error().is_some_and(is_end) => Ok(()),
        result => result.context("run `pgcluster stop` there"),
    }
}

/// Of the session, or of the program in it: the postmaster passes its SIGTERM on to both.
fn is_end(error: &DbError) -> bool {
    error.code().code().starts_with("57P") || error.detail().is_some_and(|detail| detail.contains("terminated by signal 15"))
}

/// Stops `number` if it still is a primary of a reign below `reign`: it may have been restarted, and promoted, since it was seen.
async fn stop_stale(cluster: &ClusterSpec, number: NodeNumber, reign: Epoch) -> anyhow::Result<()> {
    let stop = async {
        let client = control_address(cluster, &cluster.nodes[number.index()]).connect_in_time("repmgr").await?;
        let state = read_state(&client).await.context("read its state")?;
        let own = state.own_reign();
        ensure!(
            state.role == Role::Primary && own < reign,
            "it is {:?} in reign {own} now, not a primary below {reign}",
            state.role
        );
        order_stop(&client).await
    };
    let stopped = tokio::time::timeout(DEADLINE, stop).await;
    stopped.with_context(|| format!("no answer in {} ms", DEADLINE.as_millis()))?
}
