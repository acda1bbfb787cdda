//! Copies the primary with pg_basebackup into a staging directory; what was there before is kept until this node streams.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::act::command::Command;
use crate::act::fault_point::fault_point;
use crate::act::staging::Staging;
use crate::act::superseded::unless_superseded;
use crate::act::workplace::Workplace;
use crate::act::{recovery, register};
use crate::model::{Epoch, NodeNumber, RoomState};
use crate::observe::disk::{Room, read_room};
use crate::render::repmgr::copy_conninfo;

/// A copy of any size may take its time; the stop signal ends it at once.
const DEADLINE: Duration = Duration::from_secs(7 * 24 * 3600);

/// Makes PGDATA a copy of `from`'s, pointed at it. Killed at any point it leaves what was there before.
pub async fn clone(work: &Workplace<'_>, from: NodeNumber, epoch: Epoch) -> anyhow::Result<()> {
    let source = &work.spec.cluster.nodes[from.index()];
    let primary = work.control(source).connect_in_time("repmgr").await?;
    register::ensure_slot(&primary, work.spec.me).await?;
    check_space(work, &primary).await?;
    drop(primary);
    // The copy says nothing of itself before the primary's checkpoint is done.
    work.say(RoomState::working("cloning"));
    let staging = Staging::begin(work.data_dir()).await?;
    fault_point("clone-begun");
    let started = Instant::now();
    let sign = work.sign.cloned();
    let mut progress = Progress::default();
    let copy = Command::new(&work.tools.pg_basebackup)
        .args(["-D".as_ref(), staging.path().as_os_str()])
        .args([
            format!("--dbname={}", copy_conninfo(&work.spec.cluster, source)?),
            format!("--slot={}", work.spec.node().id().slot_name()),
        ])
        .args(["--checkpoint=fast", "--wal-method=stream", "--no-sync", "--progress", "--no-password"])
        .env("PGPASSFILE", work.pass_file())
        .on_line(move |line| {
            let Some(state) = progress.hear(line, started.elapsed()) else { return };
            tracing::info!("{}: {}", state.state, state.detail);
            if let Some(sign) = &sign {
                sign.set(&state);
            }
        })
        .timeout(DEADLINE);
    unless_superseded(work, epoch, async { Ok(copy.run(work.stop).await?) })
        .await
        .with_context(|| format!("copy {}", source.name))?;
    fault_point("clone-copied");
    recovery::include_generated(staging.path())?;
    recovery::point_at(staging.path(), work.spec, from, epoch)?;
    fault_point("clone-pointed");
    staging.commit().await?;
    fault_point("clone-in-place");
    tracing::info!("copied {} from {} in {:.1} s", work.data_dir().display(), source.name, started.elapsed().as_secs_f64());
    Ok(())
}

/// A copy that does not fit must not even begin. One part in ten is left for WAL that comes meanwhile.
async fn check_space(work: &Workplace<'_>, primary: &tokio_postgres::Client) -> anyhow::Result<()> {
    let row =
        primary.query_one("SELECT sum(pg_database_size(oid))::int8 FROM pg_database", &[]).await.context("ask for the size")?;
    let needed = row.get::<_, i64>(0) as u64 / 10 * 11;
    let volume = work.data_dir().parent().unwrap_or(work.data_dir());
    let Some(Room { free, .. }) = read_room(volume) else { return Ok(()) };
    if free < needed {
        bail!("the copy needs {} MB on {}, and {} MB are free; nothing was touched", needed >> 20, volume.display(), free >> 20);
    }
    Ok(())
}

/// What pg_basebackup's progress lines say, as a state for the waiting room.
#[derive(Debug, Default)]
struct Progress {
    last_percent: Option<u64>,
    said_at: Duration,
}

impl Progress {
    /// `  123456/987654 kB (12%), 0/1 tablespace …`. A state for every 5 % or second; none when there is nothing new to say.
    fn hear(&mut self, line: &str, elapsed: Duration) -> Option<RoomState> {
        let (done, rest) = line.trim().split_once('/')?;
        let done_kb: u64 = done.trim().parse().ok()?;
        let total_kb: u64 = rest.split_once(" kB")?.0.parse().ok()?;
        let percent = (done_kb * 100).checked_div(total_kb)?.min(100);
        let is_news = self.last_percent.is_none_or(|last| percent >= last + 5)
            || elapsed - self.said_at >= Duration::from_secs(1) && self.last_percent != Some(percent);
        if !is_news {
            return None;
        }
        (self.last_percent, self.said_at) = (Some(percent), elapsed);
        let rate_kb = (done_kb as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
        let eta_s = total_kb.saturating_sub(done_kb).checked_div(rate_kb);
        Some(RoomState::cloning(percent, rate_kb, eta_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_said_every_five_percent() {
        let mut progress = Progress::default();
        let at = Duration::from_secs(2);
        let state = progress.hear("  50000/100000 kB (50%), 0/1 tablespace", at).expect("news");
        assert_eq!(state.state, "cloning 50 % (24 MB/s, eta 2 s)");
        assert!(progress.hear("  51000/100000 kB (51%), 0/1 tablespace", at).is_none());
        assert!(progress.hear("  55000/100000 kB (55%), 0/1 tablespace", at).is_some());
        assert!(progress.hear("pg_basebackup: waiting for checkpoint", at).is_none());
    }
}
