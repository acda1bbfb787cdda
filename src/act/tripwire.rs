//! An idle session through pgpool and one to every node itself, held by a small process of its own in the pgpool container. By the first,
//! pgpool notices the death of any backend by an end of file, within milliseconds, also when no client is connected; its own health check
//! looks every two seconds. By the primary's we do, 0.05 s and more before pgpool has ended the first; over the others an election asks at
//! once.
//!
//! Never in a database container. While they last it asks next to nothing. When the first or the primary's ends it sees to it that pgpool
//! follows (`pool_follow.rs`) and opens the next, and when pgpool takes none for a while it goes, and the next health check leaves another
//! one behind.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::act::lock::try_lock;
use crate::act::pool_follow;
use crate::model::NodeNumber;
use crate::observe::peer::Sessions;
use crate::observe::pool;
use crate::spec::PgpoolSpec;

/// The name of the subcommand; not for people.
pub const NAME: &str = "tripwire";
const LOCK: &str = "/run/pgcluster/tripwire.lock";
/// Longer than a failover.
const PATIENCE: Duration = Duration::from_secs(20);
/// Before the next session through pgpool. The first one after a failover wakes all children, and those that do not get it leave to be
/// restarted, while pgpool's main process still sits in a sleep of one second (`exec_notice_pcp_child`): that first one shall be a client's.
/// The primary is watched meanwhile.
const PAUSE: Duration = Duration::from_secs(2);
/// Before the nodes are asked anew: in the moment after a failover the processors are needed for clients that come back.
const CLIENTS_FIRST: Duration = Duration::from_millis(500);
/// Between two looks whether all nodes still have a session of ours.
const REFRESH: Duration = Duration::from_secs(20);
/// With fewer children than this, one that is taken for good would be missed.
const FEW_CHILDREN: u32 = 8;

/// Starts the process if none is there and pgpool can spare a child. Not waited for, and without our output, which Docker reads to its end.
pub fn leave_behind(spec: &PgpoolSpec) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let is_few = |text: &str| text.trim().parse::<u32>().is_ok_and(|children| children < FEW_CHILDREN);
    if spec.settings.iter().any(|setting| setting.name == "num_init_children" && is_few(&setting.value)) || lock()?.is_none() {
        return Ok(());
    }
    let mut command = Command::new("/proc/self/exe");
    command.arg(NAME).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().map(drop)
}

/// Holds one session after the other; returns when pgpool takes none, or another process does the same already.
pub async fn hold(spec: &PgpoolSpec) -> io::Result<()> {
    let Some(_lock) = lock()? else { return Ok(()) };
    let (mut last, mut pause) = (Instant::now(), Duration::ZERO);
    while last.elapsed() < PATIENCE {
        let (mut primary, mut sessions) = pool_follow::read_primary(spec, Sessions::new()).await;
        // To be kept while the primary's death is followed: in its child pgpool hears of it.
        let mut stay = std::pin::pin!(async move {
            tokio::time::sleep(pause).await;
            pool::stay(spec).await
        });
        let stayed = loop {
            tokio::select! {
                stayed = &mut stay => break stayed.is_ok(),
                () = outlive(primary, &mut sessions) => break true,
                // Nodes restart; a session that broke is opened anew.
                () = tokio::time::sleep(REFRESH) => {
                    let (now, open) = pool_follow::read_primary(spec, sessions).await;
                    (primary, sessions) = (now.or(primary), open);
                }
            }
        };
        if stayed {
            last = Instant::now();
            if let Some(was) = primary {
                pool_follow::follow(spec, was, sessions).await;
            }
        }
        tokio::time::sleep(CLIENTS_FIRST).await;
        pause = PAUSE;
    }
    Ok(())
}

/// Returns when the server of `primary` ends its session; never, where there is none.
async fn outlive(primary: Option<NodeNumber>, sessions: &mut Sessions) {
    match sessions.iter_mut().find(|(number, _)| Some(*number) == primary) {
        Some((_, session)) => session.ended().await,
        None => std::future::pending().await,
    }
}

/// None if another process holds it.
fn lock() -> io::Result<Option<File>> {
    try_lock(Path::new(LOCK))
}
