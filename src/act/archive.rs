//! The WAL archive in `ARCHIVE_DIR`: a segment is there whole and on disk, or not at all.
//!
//! Rules of an archive_command: PostgreSQL documentation, 25.3.1. One that overwrites, or says yes too early, loses history.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use anyhow::{Context, ensure};

use crate::act::file::sync_directory;

/// Copies `segment` (a path below the data directory) into `archive`. The same content once more is fine: the server may ask twice.
pub fn store(segment: &Path, archive: &Path) -> anyhow::Result<()> {
    let name = segment.file_name().context("the segment has a name")?;
    let target = archive.join(name);
    if target.exists() {
        ensure!(
            same_content(segment, &target)?,
            "{} is there with another content: two clusters share this archive?",
            target.display()
        );
        return Ok(());
    }
    fs::create_dir_all(archive).with_context(|| format!("create {}", archive.display()))?;
    let beside = archive.join(format!(".{}.{}.part", name.to_string_lossy(), crate::observe::host::read_host_name()));
    let mut copy = File::create(&beside).with_context(|| format!("create {}", beside.display()))?;
    let mut source = File::open(segment).with_context(|| format!("open {}", segment.display()))?;
    io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all()).with_context(|| format!("write {}", beside.display()))?;
    fs::rename(&beside, &target).with_context(|| format!("rename {}", beside.display()))?;
    sync_directory(archive)
}

/// Copies the file `name` out of `archive` to `target`. False: it is not there, which is how recovery finds the end of the archive.
pub fn fetch(name: &str, archive: &Path, target: &Path) -> anyhow::Result<bool> {
    let source = archive.join(name);
    match fs::copy(&source, target) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("copy {}", source.display())),
    }
}

fn same_content(one: &Path, other: &Path) -> anyhow::Result<bool> {
    let read = |path: &Path| -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    Ok(read(one).with_context(|| format!("read {}", one.display()))?
        == read(other).with_context(|| format!("read {}", other.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_comes_back_as_it_went_and_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let (segment, archive) = (dir.path().join("000000010000000000000001"), dir.path().join("archive"));
        fs::write(&segment, b"wal").unwrap();
        store(&segment, &archive).unwrap();
        store(&segment, &archive).unwrap();
        let target = dir.path().join("restored");
        assert!(fetch("000000010000000000000001", &archive, &target).unwrap());
        assert_eq!(fs::read(&target).unwrap(), b"wal");
        assert!(!fetch("00000002.history", &archive, &target).unwrap());
        fs::write(&segment, b"other").unwrap();
        assert!(store(&segment, &archive).unwrap_err().to_string().contains("another content"));
    }
}
