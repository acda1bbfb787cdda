//! What a health check remembers for the next one, in the container's tmpfs. Times are of this machine's monotonic clock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::act::file::{self, Durability};
use crate::act::workplace::RUN_DIR;
use crate::model::Lsn;
use crate::observe::processes::now_s;
use crate::plan::heal::{Findings, Memory};
use crate::render::{RenderedFile, paths};

const FILE: &str = "health.json";
/// What a promoter asks a standby for: when it last kept up and when its primary was last seen alive, in seconds, apart by a blank.
/// Not there before it kept up for the first time.
const HEARD_FILE: &str = "/run/pgcluster/heard";
/// For the time before: where the primary's WAL ended when this node joined it.
const JOINED_FILE: &str = "/run/pgcluster/joined";

/// Seconds of the monotonic clock at which each finding was last different.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Since {
    primary_seen_at: u64,
    not_contradicted_at: u64,
    streaming_at: u64,
    /// None: not in this life of the container.
    kept_up_at: Option<u64>,
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

pub fn write(findings: Findings) -> anyhow::Result<()> {
    let now = now_s();
    let before = read_since(now);
    let since = Since {
        primary_seen_at: if findings.primary_seen { now } else { before.primary_seen_at },
        not_contradicted_at: if findings.contradicted { before.not_contradicted_at } else { now },
        streaming_at: if findings.streaming { now } else { before.streaming_at },
        kept_up_at: if findings.keeps_up { Some(now) } else { before.kept_up_at },
    };
    let mut files = vec![file(&Path::new(RUN_DIR).join(FILE), serde_json::to_string(&since)?)];
    if let Some(kept_up_at) = since.kept_up_at {
        files.push(file(Path::new(HEARD_FILE), format!("{kept_up_at} {}\n", since.primary_seen_at)));
    }
    file::write_all(&files, Durability::Rebuilt)?;
    Ok(())
}

/// The health check runs now, of whichever image.
pub fn write_ran() -> anyhow::Result<()> {
    file::write_all(&[file(Path::new(paths::HEALTH_RAN), format!("{}\n", now_s()))], Durability::Rebuilt)?;
    Ok(())
}

/// This node follows a primary whose WAL ended there.
pub fn write_joined(primary_has: Lsn) -> anyhow::Result<()> {
    file::write_all(&[file(Path::new(JOINED_FILE), format!("{primary_has}\n"))], Durability::Rebuilt)?;
    Ok(())
}

fn file(path: &Path, body: String) -> RenderedFile {
    RenderedFile { path: path.into(), mode: 0o600, body }
}

fn read_since(now: u64) -> Since {
    let kept = fs::read_to_string(Path::new(RUN_DIR).join(FILE)).ok().and_then(|text| serde_json::from_str(&text).ok());
    kept.unwrap_or(Since { primary_seen_at: now, not_contradicted_at: now, streaming_at: now, kept_up_at: None })
}
