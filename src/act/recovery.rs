//! What makes a data directory a standby, a parked node or a primary: `standby.signal` and postgresql.auto.conf.
//!
//! Clone and rewind copy another node's auto.conf, so it is rewritten after both. Only while no server runs on the directory.

use std::fs;
use std::path::Path;

use anyhow::Context;

use crate::act::file::{self, Durability};
use crate::model::{Epoch, NodeNumber};
use crate::observe::data_dir::{PG_VERSION, Rewinding};
use crate::render::RenderedFile;
use crate::render::auto_conf;
use crate::render::repmgr::primary_conninfo;
use crate::spec::PostgresSpec;

/// The line that ties a data directory to the settings which are generated at each start.
pub const INCLUDE: &str = "include '/etc/pgcluster/postgresql.conf'";

/// Points at `upstream` with the promise of its reign.
pub fn point_at(data_dir: &Path, spec: &PostgresSpec, upstream: NodeNumber, reign: Epoch) -> anyhow::Result<()> {
    let node = &spec.cluster.nodes[upstream.index()];
    let conninfo = primary_conninfo(&spec.cluster, spec.node(), node)?;
    let slot = spec.node().id().slot_name();
    set(
        data_dir,
        &[
            ("primary_conninfo", Some(conninfo.as_str())),
            ("primary_slot_name", Some(&slot)),
            ("pgcluster.promised_epoch", Some(&reign.to_string())),
            ("pgcluster.reign", Some(&reign.to_string())),
            ("default_transaction_read_only", None),
        ],
    )?;
    write_standby_signal(data_dir)
}

/// A read-only standby without upstream, visible to an election.
pub fn park(data_dir: &Path) -> anyhow::Result<()> {
    set(data_dir, &[("primary_conninfo", Some(""))])?;
    write_standby_signal(data_dir)
}

/// The first reign: after initdb.
pub fn begin_reign(data_dir: &Path, epoch: Epoch) -> anyhow::Result<()> {
    let epoch = epoch.to_string();
    set(data_dir, &[("pgcluster.promised_epoch", Some(&epoch)), ("pgcluster.reign", Some(&epoch))])
}

/// Data that another tool made knows no epochs: its first reign with us begins now.
pub fn begin_reign_unless_promised(data_dir: &Path, epoch: Epoch) -> anyhow::Result<()> {
    let text = fs::read_to_string(data_dir.join("postgresql.auto.conf")).unwrap_or_default();
    match auto_conf::read(&text).iter().any(|(name, _)| name == "pgcluster.promised_epoch") {
        true => Ok(()),
        false => begin_reign(data_dir, epoch),
    }
}

/// A standby whose upstream is not there now keeps its pointer.
pub fn stay_standby(data_dir: &Path) -> anyhow::Result<()> {
    write_standby_signal(data_dir)
}

/// Sets or removes the mark of a rewind.
pub fn mark_rewinding(data_dir: &Path, rewinding: Option<Rewinding>) -> anyhow::Result<()> {
    let path = data_dir.join(PG_VERSION);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let body = Rewinding::mark(&text, rewinding);
    if body != text {
        file::write_all(&[RenderedFile { path, mode: 0o600, body }], Durability::Synced)?;
    }
    Ok(())
}

/// Ends `$PGDATA/postgresql.conf` with the include, and keeps everything else of it.
pub fn include_generated(data_dir: &Path) -> anyhow::Result<()> {
    let path = data_dir.join("postgresql.conf");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    if text.lines().any(|line| line.trim() == INCLUDE) {
        return Ok(());
    }
    let body = format!("{text}\n# Everything below comes from the environment, anew at each start (pgcluster).\n{INCLUDE}\n");
    file::write_all(&[RenderedFile { path, mode: 0o600, body }], Durability::Synced)?;
    Ok(())
}

fn set(data_dir: &Path, changes: &[(&str, Option<&str>)]) -> anyhow::Result<()> {
    let path = data_dir.join("postgresql.auto.conf");
    let text = fs::read_to_string(&path).unwrap_or_default();
    let body = auto_conf::with(&text, changes)?;
    if body != text {
        file::write_all(&[RenderedFile { path, mode: 0o600, body }], Durability::Synced)?;
    }
    Ok(())
}

/// Also ends the mark of a rewind: one that is complete, or one that had changed nothing but this file.
fn write_standby_signal(data_dir: &Path) -> anyhow::Result<()> {
    let path = data_dir.join("standby.signal");
    if !path.exists() {
        file::write_all(&[RenderedFile { path, mode: 0o600, body: String::new() }], Durability::Synced)?;
    }
    mark_rewinding(data_dir, None)
}
