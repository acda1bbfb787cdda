//! What a health check remembers for the next one, in the container's tmpfs. Times are of this machine's monotonic clock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::act::file::{self, Durability};
use crate::act::workplace::RUN_DIR;
use crate::plan::heal::{Findings, Memory};
use crate::render::RenderedFile;

const FILE: &str = "health.json";
/// What a promoter asks a standby for: when it last streamed and when its primary was last seen alive, in seconds, apart by a blank.
pub const HEARD_FILE: &str = "/run/pgcluster/heard";

/// Seconds of the monotonic clock at which each finding was last different.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Since {
    primary_seen_at: u64,
    not_contradicted_at: u64,
    streaming_at: u64,
}

/// How long it has been since each finding was good; at the first look of a container everything was good just now.
pub fn read() -> Memory {
    let now = now_s();
    let since = read_since(now);
    Memory {
        without_primary: Duration::from_secs(now.saturating_sub(since.primary_seen_at)),
        contradicted: Duration::from_secs(now.saturating_sub(since.not_contradicted_at)),
        not_streaming: Duration::from_secs(now.saturating_sub(since.streaming_at)),
    }
}

/// `primary_alive`: whether this look reached a primary, or streams from one.
pub fn write(findings: Findings) -> anyhow::Result<()> {
    let now = now_s();
    let before = read_since(now);
    let since = Since {
        primary_seen_at: if findings.primary_seen { now } else { before.primary_seen_at },
        not_contradicted_at: if findings.contradicted { before.not_contradicted_at } else { now },
        streaming_at: if findings.streaming { now } else { before.streaming_at },
    };
    let run = Path::new(RUN_DIR);
    let heard = format!("{} {}\n", since.streaming_at, since.primary_seen_at);
    let files = [
        RenderedFile { path: run.join(FILE), mode: 0o600, body: serde_json::to_string(&since)? },
        RenderedFile { path: HEARD_FILE.into(), mode: 0o600, body: heard },
    ];
    file::write_all(&files, Durability::Rebuilt)?;
    Ok(())
}

fn read_since(now: u64) -> Since {
    let kept = fs::read_to_string(Path::new(RUN_DIR).join(FILE)).ok().and_then(|text| serde_json::from_str(&text).ok());
    kept.unwrap_or(Since { primary_seen_at: now, not_contradicted_at: now, streaming_at: now })
}

/// Goes on during a pause of the container and never jumps.
fn now_s() -> u64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |time| time.tv_sec() as u64)
}
