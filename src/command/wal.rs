//! `pgcluster archive-wal` and `restore-wal`: PostgreSQL's archive_command and restore_command, when `ARCHIVE_DIR` is set.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::act::archive;
use crate::exit::Exit;
use crate::observe::environment;

/// `path` is `%p`, relative to the data directory, which is where the server runs us.
pub fn archive(path: &Path) -> anyhow::Result<Exit> {
    archive::store(path, &directory()?)?;
    Ok(Exit::Ok)
}

/// `name` is `%f`, `path` is `%p`. Exit 1: not in the archive.
pub fn restore(name: &str, path: &Path) -> anyhow::Result<Exit> {
    Ok(if archive::fetch(name, &directory()?, path)? { Exit::Ok } else { Exit::Failed })
}

fn directory() -> anyhow::Result<PathBuf> {
    let spec = environment::postgres_spec(&environment::kept_or_own()?)?;
    spec.archive_dir.context("ARCHIVE_DIR is not set in this container")
}
