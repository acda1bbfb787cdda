//! An idle session through pgpool, held by a small process of its own in the pgpool container: with it, pgpool notices the death of any
//! backend by an end of file, within milliseconds, also when no client is connected. Its own health check looks every two seconds.
//!
//! Never in a database container. While its session lasts it asks next to nothing: it keeps one session to every node, over which an election
//! asks at once. When its session ends it sees to it that pgpool follows (`pool_follow.rs`) and opens the next, and when pgpool takes none
//! for a while it goes, and the next health check leaves another one behind.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::act::lock::try_lock;
use crate::act::pool_follow;
use crate::observe::peer::Sessions;
use crate::observe::pool;
use crate::spec::PgpoolSpec;

/// The name of the subcommand; not for people.
pub const NAME: &str = "tripwire";
const LOCK: &str = "/run/pgcluster/tripwire.lock";
/// Longer than a failover.
const PATIENCE: Duration = Duration::from_secs(20);
/// Before the next session. The first one after a failover wakes all children, and those that do not get it leave to be restarted, while
/// pgpool's main process still sits in a sleep of one second (`exec_notice_pcp_child`): that first one shall be a client's.
const PAUSE: Duration = Duration::from_secs(2);
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
    let mut last = Instant::now();
    while last.elapsed() < PATIENCE {
        let (primary, mut sessions) = pool_follow::read_primary(spec, Sessions::new()).await;
        let stayed = tokio::select! {
            stayed = pool::stay(spec) => stayed.is_ok(),
            never = refresh(spec, &mut sessions) => match never {},
        };
        if stayed {
            last = Instant::now();
            if let Some(was) = primary {
                pool_follow::follow(spec, was, sessions).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Nodes restart; a session that broke is opened anew. In the middle of a look there are none.
async fn refresh(spec: &PgpoolSpec, sessions: &mut Sessions) -> Infallible {
    loop {
        tokio::time::sleep(REFRESH).await;
        *sessions = pool_follow::read_primary(spec, std::mem::take(sessions)).await.1;
    }
}

/// None if another process holds it.
fn lock() -> io::Result<Option<File>> {
    try_lock(Path::new(LOCK))
}
