//! Remembers that pgpool and the nodes agreed, so that the next health checks need not ask pgpool: it starts a session on every backend
//! that it speaks of.
//!
//! pgpool writes its status file whenever it changes its mind: while the file and the nodes are the same, so is the agreement.

use std::fmt::Debug;
use std::fs;

use crate::act::file::{self, Durability};
use crate::observe::pool::changed_at;
use crate::observe::processes::now_s;
use crate::render::RenderedFile;

/// When it was reached, in seconds of the monotonic clock; on the next line, on what.
const FILE: &str = "/run/pgcluster/pool_agrees";
/// In seconds. Then pgpool is asked all the same: nothing but its answer proves that it gives one.
const TRUSTED_FOR: u64 = 30;

/// What there is to agree on, at one moment.
pub struct Agreement(String);

impl Agreement {
    /// To be taken before pgpool is asked: what it writes meanwhile is news for the next check.
    pub fn on(nodes: &impl Debug) -> Agreement {
        Agreement(format!("{:?} {nodes:?}", changed_at()))
    }

    /// Whether just this was agreed on a moment ago.
    pub fn is_remembered(&self) -> bool {
        let text = fs::read_to_string(FILE).unwrap_or_default();
        let reached = text.split_once('\n').and_then(|(at, what)| (what == self.0).then(|| at.parse::<u64>().ok())?);
        reached.is_some_and(|at| now_s() < at + TRUSTED_FOR)
    }

    pub fn remember(&self) -> anyhow::Result<()> {
        let body = format!("{}\n{}", now_s(), self.0);
        file::write_all(&[RenderedFile { path: FILE.into(), mode: 0o600, body }], Durability::Rebuilt)?;
        Ok(())
    }
}

/// pgpool did not serve a client: it must be asked.
pub fn forget() {
    let _ = fs::remove_file(FILE);
}
