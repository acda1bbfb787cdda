//! Brings a diverged data directory back onto the primary's history: pg_rewind, and where that is impossible a copy beside it.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::act::command::Command;
use crate::act::fault_point::fault_point;
use crate::act::superseded::{Superseded, unless_superseded};
use crate::act::workplace::Workplace;
use crate::act::{clone, recovery, register};
use crate::model::{Epoch, NodeNumber, RoomState, Stopped};
use crate::observe::data_dir::Rewinding;
use crate::render::repmgr::rewind_conninfo;
use crate::spec::Node;

const DEADLINE: Duration = Duration::from_secs(24 * 3600);

/// Rewinds, else clones; either way PGDATA then follows `from`.
pub async fn rewind_or_clone(work: &Workplace<'_>, from: NodeNumber, epoch: Epoch, stopped: Stopped) -> anyhow::Result<()> {
    let refused = match rewind(work, from, epoch, stopped).await {
        Ok(()) => return Ok(()),
        Err(error) if work.stop.look().is_some() || error.is::<Superseded>() => return Err(error),
        Err(error) => error,
    };
    tracing::warn!("no rewind ({refused:#}): copying beside the old data, which is kept until this node streams");
    clone::clone(work, from, epoch).await
}

async fn rewind(work: &Workplace<'_>, from: NodeNumber, epoch: Epoch, stopped: Stopped) -> anyhow::Result<()> {
    work.say(RoomState::working("rewinding"));
    let source = &work.spec.cluster.nodes[from.index()];
    let primary = work.control(source).connect_in_time("repmgr").await?;
    register::ensure_slot(&primary, work.spec.me).await?;
    // Until 15 the control file of a fresh primary still names the old timeline until its first checkpoint.
    primary.batch_execute("CHECKPOINT").await.context("checkpoint the primary")?;
    drop(primary);
    let started = Instant::now();
    let data = work.data_dir();
    recovery::mark_rewinding(data, Some(Rewinding::Begun))?;
    fault_point("rewind-begun");
    if stopped != Stopped::Cleanly {
        recover(work).await?;
    }
    try_rewind(work, source).await?;
    recovery::mark_rewinding(data, Some(Rewinding::Writing))?;
    fault_point("rewind-writing");
    let output = unless_superseded(work, epoch, async { command(work, source)?.run(work.stop).await.context("rewind") }).await?;
    fault_point("rewind-done");
    recovery::include_generated(data)?;
    recovery::point_at(data, work.spec, from, epoch)?;
    let said = output.stderr.iter().chain(&output.stdout).find(|line| line.contains(NEEDS)).cloned().unwrap_or_default();
    tracing::info!("rewound onto {} in {:.1} s {said}", source.name, started.elapsed().as_secs_f64());
    Ok(())
}

/// Crash recovery, which pg_rewind wants done: in single-user mode, which refuses standby mode. Of a standby that said goodbye it would
/// take no WAL that was not replayed for a divergence, and leave it there.
async fn recover(work: &Workplace<'_>) -> anyhow::Result<()> {
    let _ = fs::remove_file(work.data_dir().join("standby.signal"));
    Command::new(&work.tools.postgres)
        .args(["--single", "-F", "-D"])
        .args([work.data_dir()])
        .args(["-c", "archive_mode=off", "-c", "shared_preload_libraries="])
        // Its last checkpoint must not remove the WAL that leads back to where the histories parted.
        .args(["-c", "wal_keep_size=1TB", "template1"])
        .stdin_bytes(Vec::new())
        .timeout(DEADLINE)
        .run(work.stop)
        .await
        .context("recover from the crash before a rewind")?;
    Ok(())
}

/// What pg_rewind says when all its reasons to refuse are behind it.
const NEEDS: &str = "need to copy";

/// Whether a rewind would work at all, while nothing is written. A dry run would go on to read from the source all that a real one
/// copies (`perform_rewind` in pg_rewind.c): it is ended before.
async fn try_rewind(work: &Workplace<'_>, source: &Node) -> anyhow::Result<()> {
    let (agreed, mut agrees) = tokio::sync::watch::channel(false);
    let hear = move |line: &str| {
        if line.contains(NEEDS) {
            agreed.send_replace(true);
        }
    };
    let trial = command(work, source)?.args(["--dry-run"]).on_line(hear).run(work.stop);
    tokio::select! {
        biased;
        result = trial => result.map(drop).context("try the rewind"),
        // An error: the trial is over, and says how.
        Ok(_) = agrees.wait_for(|agreed| *agreed) => Ok(()),
    }
}

fn command(work: &Workplace<'_>, source: &Node) -> anyhow::Result<Command> {
    Ok(Command::new(&work.tools.pg_rewind)
        .args(["-D".as_ref(), work.data_dir().as_os_str()])
        .args([format!("--source-server={}", rewind_conninfo(&work.spec.cluster, source)?)])
        .args(["--progress", "--no-ensure-shutdown"])
        .env("PGPASSFILE", work.pass_file())
        .timeout(DEADLINE))
}
