//! Keeps what this container was started with, for commands that run in it later with a scrubbed environment.

use anyhow::Context;

use crate::act::file::{self, Durability};
use crate::observe::environment::{KEPT, kept_or_own, to_keep};
use crate::observe::passwords::KNOWN;
use crate::render::{RenderedFile, scram};
use crate::spec::{ClusterSpec, Snapshot};

/// Mode 0600 on tmpfs: it holds the secrets.
pub fn keep(snapshot: &Snapshot, cluster: &ClusterSpec) -> anyhow::Result<()> {
    file::write_all(&files(snapshot, cluster)?, Durability::Rebuilt)?;
    Ok(())
}

/// The environment, and a verifier of `REPMGRPWD`: by it the primary sees what this container was told, and learns nothing else.
pub fn files(snapshot: &Snapshot, cluster: &ClusterSpec) -> anyhow::Result<Vec<RenderedFile>> {
    let private = |path: &str, body: String| RenderedFile { path: path.into(), mode: 0o600, body };
    let known = cluster.wanted_password().map(|password| scram::verifier(password.expose(), rand::random(), scram::ITERATIONS));
    Ok(vec![private(KEPT, to_keep(snapshot)?), private(KNOWN, known.unwrap_or_default() + "\n")])
}

/// No server takes the password before `REPMGRPWD` any more.
pub fn forget_previous() -> anyhow::Result<()> {
    let snapshot = kept_or_own().context("read the kept environment")?.with_previous(None);
    let kept = RenderedFile { path: KEPT.into(), mode: 0o600, body: to_keep(&snapshot)? };
    file::write_all(&[kept], Durability::Rebuilt)?;
    Ok(())
}
