//! Keeps what this container was started with, for commands that run in it later with a scrubbed environment.

use crate::act::file::{self, Durability};
use crate::observe::environment::{KEPT, to_keep};
use crate::render::RenderedFile;
use crate::spec::Snapshot;

/// Mode 0600 on tmpfs: it holds the secrets.
pub fn keep(snapshot: &Snapshot) -> anyhow::Result<()> {
    let file = RenderedFile { path: KEPT.into(), mode: 0o600, body: to_keep(snapshot)? };
    file::write_all(&[file], Durability::Rebuilt)?;
    Ok(())
}
