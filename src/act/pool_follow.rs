//! What the tripwire does when its session broke: pgpool gives up a primary that is primary no more as soon as somebody else is, or may be.
//!
//! A server that is stopped in good order tells its sessions so, and pgpool takes that for no failure; it waits until a client meets an
//! address that Docker has taken away. Whoever is promoted, and whether, is the failover command's business, which pgpool runs then.

use std::time::{Duration, Instant};

use crate::act::pcp;
use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look_impatiently;
use crate::observe::pool::read_status_file;
use crate::plan::pool::{AfterBreak, after_break};
use crate::plan::promotion::{Asker, knows_enough, need};
use crate::spec::PgpoolSpec;

/// Longer than a stop in good order takes.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);
/// As the failover command has it.
const SILENT_PATIENCE: Duration = Duration::from_millis(40);

/// The primary that every session through pgpool uses now.
pub async fn read_primary(spec: &PgpoolSpec) -> Option<NodeNumber> {
    look(spec).await.primary().map(|(number, _)| number)
}

/// After a session ended that began while `was` was primary.
pub async fn follow(spec: &PgpoolSpec, was: NodeNumber) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE && !read_status_file().down.contains(&was) {
        let asked = began.elapsed();
        match after_break(&need(&look(spec).await, asked.as_millis() as u64), was) {
            AfterBreak::Wait => tokio::time::sleep(PAUSE).await,
            AfterBreak::Leave => return,
            AfterBreak::GiveUp => {
                // Where pgpool refuses, it has a failover under way, or its health check does it.
                let _ = pcp::detach(spec, was).await;
                return;
            }
        }
    }
}

async fn look(spec: &PgpoolSpec) -> ClusterView {
    let quorum = spec.cluster.quorum();
    look_impatiently(&spec.cluster, |view| knows_enough(view, quorum, Asker::Machine), SILENT_PATIENCE).await.0
}
