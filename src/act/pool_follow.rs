//! What the tripwire does when its session broke: pgpool gives up a primary that is primary no more as soon as somebody else is, or may be;
//! and where nobody is, it holds the election.
//!
//! A server that is stopped in good order tells its sessions so, and pgpool takes that for no failure; it waits until a client meets an
//! address that Docker has taken away. A server that dies is noticed by pgpool too, but pgpool runs its failover command only after it has
//! signalled all its children to end, and those take the processors for 0.1 s and more; and not at all in the second after an attachment.
//! So the election begins here, and the failover command, which asks the same questions, finds it under way or done.

use std::time::{Duration, Instant};

use crate::act::pcp;
use crate::act::promote::{self, FAILOVER_DEADLINE, Wish};
use crate::model::NodeNumber;
use crate::observe::pool::read_status_file;
use crate::plan::pool::{AfterBreak, after_break};
use crate::plan::promotion::{Asker, need};
use crate::spec::{FailoverMode, PgpoolSpec};

/// Longer than a stop in good order takes.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);

/// The primary that every session through pgpool uses now.
pub async fn read_primary(spec: &PgpoolSpec) -> Option<NodeNumber> {
    promote::look(&spec.cluster, Asker::Machine).await.0.primary().map(|(number, _)| number)
}

/// After a session ended that began while `was` was primary.
pub async fn follow(spec: &PgpoolSpec, was: NodeNumber) {
    let reason = format!("pgpool {} lost node {was}", spec.name);
    // Among equals one that pgpool has up, or all its clients would wait for an attachment.
    let preferred = read_status_file().up.into_iter().filter(|number| *number != was).min();
    let wish = Wish { preferred, ..Wish::of_machine(&spec.cluster, &reason, FAILOVER_DEADLINE) };
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let asked = began.elapsed();
        let (view, sessions) = promote::look(&spec.cluster, Asker::Machine).await;
        match after_break(&need(&view, asked.as_millis() as u64), was) {
            AfterBreak::Wait => tokio::time::sleep(PAUSE).await,
            AfterBreak::Leave => return,
            AfterBreak::Elect if spec.cluster.failover == FailoverMode::Auto => {
                // What comes of it, the failover command tells.
                let _ = tokio::join!(promote::promote_after(wish, (view, sessions)), give_up(spec, was));
                return;
            }
            AfterBreak::Elect | AfterBreak::GiveUp => return give_up(spec, was).await,
        }
    }
}

/// Where pgpool refuses, it has a failover under way, or its health check does it.
async fn give_up(spec: &PgpoolSpec, was: NodeNumber) {
    if !read_status_file().down.contains(&was) {
        let _ = pcp::detach(spec, was).await;
    }
}
