//! An idle session through pgpool and one to the primary itself, held by a small process of its own in the pgpool container. By the first,
//! pgpool notices the death of any backend by an end of file, within milliseconds, also when no client is connected; its own health check
//! looks every two seconds. By the second we do, 0.05 s and more before pgpool has ended the first.
//!
//! Never in a database container. While both last it asks next to nothing: it keeps one session to every node, over which an election
//! asks at once. When one of them ends it sees to it that pgpool follows (`pool_follow.rs`) and opens the next, and when pgpool takes none
//! for a while it goes, and the next health check leaves another one behind.

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::act::lock::try_lock;
use crate::act::pool_follow;
use crate::model::NodeNumber;
use crate::observe::peer::{Sessions, control_address};
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
        // To be kept while the primary's death is followed: in its child pgpool hears of it.
        let mut stay = std::pin::pin!(pool::stay(spec));
        let stayed = tokio::select! {
            stayed = &mut stay => stayed.is_ok(),
            () = outlive(spec, primary) => true,
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

/// Returns when the server of `primary` ends a session of ours; never, where there is none.
async fn outlive(spec: &PgpoolSpec, primary: Option<NodeNumber>) {
    if let Some(primary) = primary
        && let Ok((_client, end)) =
            control_address(&spec.cluster, &spec.cluster.nodes[primary.index()]).connect_and_watch("repmgr").await
    {
        let _ = end.await;
    } else {
        std::future::pending().await
    }
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
