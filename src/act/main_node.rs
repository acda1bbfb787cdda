//! Gets a pgpool to count its backends anew that lets nobody in any more.
//!
//! pgpool expects the first answer from its main node, the first backend in use. When that one dies the next becomes the main node; but a
//! child whose connection to the dead one is made only then (its first packet was lost, and Docker has started the container again) marks
//! it as in use, without the attachment that makes it the main node (`new_connection` in pgpool2, src/protocol/pool_connection_pool.c).
//! All nodes are well then, pgpool has them all up, and every client gets an error. Any failover counts anew, also that of a standby.

use std::time::Duration;

use crate::act::{pcp, pool_pulse};
use crate::observe::peer::look;
use crate::observe::pool::{is_locked_out, log_in, read_status_file};
use crate::plan::pool::dispensable;
use crate::spec::PgpoolSpec;

/// Between two looks: in the middle of a failover a child may have half of the news.
const PAUSE: Duration = Duration::from_millis(1000);

/// After a login that was locked out. What was done, if it is still so: a standby is detached, and the next check attaches it again.
pub async fn recount(spec: &PgpoolSpec) -> Option<String> {
    tokio::time::sleep(PAUSE).await;
    tokio::time::timeout(PAUSE, log_in(spec)).await.ok()?.err().filter(is_locked_out)?;
    let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    let Some(standby) = dispensable(&view, &read_status_file().up) else {
        return pool_pulse::end("it lets nobody in");
    };
    Some(match pcp::detach(spec, standby).await {
        Ok(()) => format!("detached node {standby} for a moment: pgpool let nobody in, and counts its backends anew"),
        Err(error) => format!("pgpool lets nobody in, and node {standby} is not detached: {error:#}"),
    })
}
