//! What the tripwire does when its session broke: pgpool gives up a primary that is primary no more as soon as somebody else is, or may be;
//! and where nobody is, it holds the election.
//!
//! A server that is stopped in good order tells its sessions so, and pgpool takes that for no failure; it waits until a client meets an
//! address that Docker has taken away. A server that dies is noticed by pgpool too, but pgpool runs its failover command only after it has
//! signalled all its children to end, and those take the processors for 0.1 s and more; and not at all in the second after an attachment.
//! So the election begins here, over sessions that were open before, and the failover command waits for its end (`election.rs`).

use std::time::{Duration, Instant};

use crate::act::election::Election;
use crate::act::pcp;
use crate::act::promote::{self, FAILOVER_DEADLINE, Wish};
use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::Sessions;
use crate::observe::pool::read_status_file;
use crate::plan::pool::{AfterBreak, after_break, successor};
use crate::plan::promotion::{Asker, need};
use crate::spec::{FailoverMode, PgpoolSpec};

/// Longer than a stop in good order takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks, at first: a standby may not have noticed yet that its primary is gone.
const FIRST_PAUSE: Duration = Duration::from_millis(3);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
const HEARS_ITSELF: Duration = Duration::from_millis(30);
/// For a login on a busy machine, before anything has happened. A primary that is left out for being slow is not watched.
const UNHURRIED: Duration = Duration::from_millis(300);

/// The primary that every session through pgpool uses now, and the sessions over which that was asked, for the next time.
pub async fn read_primary(spec: &PgpoolSpec, sessions: Sessions) -> (Option<NodeNumber>, Sessions) {
    let (view, sessions) = promote::look_for(UNHURRIED, &spec.cluster, Asker::Machine, sessions).await;
    (view.primary().map(|(number, _)| number), sessions)
}

/// After a session ended that began while `was` was primary. `sessions`: to ask over, where they still live.
pub async fn follow(spec: &PgpoolSpec, was: NodeNumber, mut sessions: Sessions) {
    let reason = format!("pgpool {} lost node {was}", spec.name);
    let preferred = successor(&read_status_file().up, was);
    let wish = Wish { preferred, ..Wish::of_machine(&spec.cluster, &reason, FAILOVER_DEADLINE) };
    // It may have ended our session through pgpool first: over one that it has not ended yet it would say what it was.
    sessions.retain(|(number, _)| *number != was);
    let began = Instant::now();
    // From the first look on, or the failover command would look beside it.
    let mut election = Election::begin();
    let mut pause = FIRST_PAUSE;
    while began.elapsed() < PATIENCE {
        let asked = began.elapsed();
        let view;
        // The server that ended our session is not waited for longer than the next look would begin.
        (view, sessions) = promote::look_for(pause, &spec.cluster, Asker::Machine, sessions).await;
        match after_break(&need(&view, asked.as_millis() as u64), was) {
            AfterBreak::Wait => {
                election = None;
                tokio::time::sleep(pause).await;
                pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            }
            AfterBreak::Leave => return,
            AfterBreak::Elect if spec.cluster.failover == FailoverMode::Auto => {
                let election = election.or_else(Election::begin);
                tokio::join!(elect(wish, (view, sessions), was, election), give_up_soon(spec, was));
                return;
            }
            AfterBreak::GiveUp { primary } => {
                tell(election.or_else(Election::begin), was, primary);
                return give_up(spec, was).await;
            }
            AfterBreak::Elect => return give_up(spec, was).await,
        }
    }
}

async fn elect(wish: Wish<'_>, seen: (ClusterView, Sessions), was: NodeNumber, election: Option<Election>) {
    if let Some(primary) = promote::promote_after(wish, seen).await.primary() {
        tell(election, was, primary);
    }
}

/// A failover command that is not told looks for itself.
fn tell(election: Option<Election>, was: NodeNumber, primary: NodeNumber) {
    if let Some(election) = election
        && primary != was
    {
        let _ = election.end(was, primary);
    }
}

/// Of a death pgpool hears by itself, and before an election ends nothing is gained by telling it.
async fn give_up_soon(spec: &PgpoolSpec, was: NodeNumber) {
    tokio::time::sleep(HEARS_ITSELF).await;
    give_up(spec, was).await;
}

/// Where pgpool refuses, it has a failover under way, or its health check does it.
async fn give_up(spec: &PgpoolSpec, was: NodeNumber) {
    if !read_status_file().down.contains(&was) {
        let _ = pcp::detach(spec, was).await;
    }
}
