//! A data directory is built beside its place and moved there when it is complete, so that no half-built one is ever taken for data.
//!
//! `<PGDATA>.staging` becomes PGDATA by one rename; what was there before is kept as `<PGDATA>.old`. Where PGDATA is itself a mount
//! point (the official image's habit), both live inside it and a marker file stands while the entries are moved.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::act::fault_point::fault_point;
use crate::act::file::sync_directory;
use crate::act::lock::{LockError, VolumeLock};
use crate::act::tree::{remove_dir_all, rename_dir, sync_tree};
use crate::observe::data_dir::UNFINISHED;

const STAGING: &str = "staging";
const OLD: &str = "old";

#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    path: PathBuf,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Beside,
    /// PGDATA is a mount point, it cannot be renamed.
    Inside,
}

impl Staging {
    /// Throws away what an interrupted build left and creates an empty directory, mode 0700.
    pub async fn begin(data_dir: &Path) -> anyhow::Result<Staging> {
        let place = place_of(data_dir);
        let path = sibling(data_dir, place, STAGING);
        if place == Place::Inside && data_dir.join(UNFINISHED).exists() {
            remove_entries_except(data_dir, &[OsStr::new("pgcluster.old"), OsStr::new(UNFINISHED)]).await?;
        }
        remove_dir_all(&path).await?;
        fs::DirBuilder::new().mode(0o700).recursive(true).create(&path).with_context(|| {
            format!("create {}: the volume must be writable for uid {}", path.display(), nix::unistd::geteuid())
        })?;
        Ok(Staging { target: data_dir.to_path_buf(), path, place })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Syncs the new directory to disk and puts it in place; the old one, if any, is kept aside.
    pub async fn commit(self) -> anyhow::Result<()> {
        sync_tree(&self.path).await?;
        fault_point("staging-synced");
        match self.place {
            Place::Beside => self.swap().await,
            Place::Inside => self.move_up().await,
        }
    }

    async fn swap(self) -> anyhow::Result<()> {
        if self.target.exists() {
            let old = sibling(&self.target, self.place, OLD);
            remove_dir_all(&old).await?;
            rename_dir(&self.target, &old)?;
            fault_point("staging-old-aside");
        }
        rename_dir(&self.path, &self.target)
    }

    async fn move_up(self) -> anyhow::Result<()> {
        let marker = self.target.join(UNFINISHED);
        fs::write(&marker, "pgcluster was moving a new data directory into place\n").context("write the unfinished marker")?;
        sync_directory(&self.target)?;
        fault_point("staging-marked");
        let old = sibling(&self.target, self.place, OLD);
        let kept =
            [OsStr::new("pgcluster.staging"), OsStr::new("pgcluster.old"), OsStr::new(UNFINISHED), OsStr::new("lost+found")];
        let entries = list_except(&self.target, &kept)?;
        if !entries.is_empty() {
            remove_dir_all(&old).await?;
            fs::DirBuilder::new().mode(0o700).create(&old).context("create the place for the old data")?;
            move_entries(&entries, &old)?;
        }
        move_entries(&list_except(&self.path, &[])?, &self.target)?;
        fs::set_permissions(&self.target, std::os::unix::fs::PermissionsExt::from_mode(0o700)).ok();
        remove_dir_all(&self.path).await?;
        sync_directory(&self.target)?;
        fs::remove_file(&marker).context("remove the unfinished marker")?;
        sync_directory(&self.target)
    }
}

/// A swap that was interrupted between its two renames left no PGDATA, a complete `.old` and a complete `.staging`.
/// The old data is put back: it is valid, and the next decision starts from it.
pub fn restore_interrupted_swap(data_dir: &Path) -> anyhow::Result<()> {
    let old = sibling(data_dir, Place::Beside, OLD);
    if !data_dir.exists() && old.exists() {
        tracing::warn!("an interrupted swap left {}: putting it back", old.display());
        rename_dir(&old, data_dir)?;
    }
    Ok(())
}

/// Deletes the copy that a swap kept; called once this node streams from the new data.
pub async fn remove_old(data_dir: &Path) -> anyhow::Result<()> {
    for place in [Place::Beside, Place::Inside] {
        remove_dir_all(&sibling(data_dir, place, OLD)).await?;
    }
    Ok(())
}

/// The lock of the volume that holds this data directory.
pub async fn lock_volume(data_dir: &Path, patience: Duration, tell: impl FnMut(&str)) -> Result<VolumeLock, LockError> {
    match is_volume_itself(data_dir) {
        true => VolumeLock::take_directory(data_dir, patience, tell).await,
        false => VolumeLock::take(data_dir.parent().unwrap_or(Path::new("/")), patience, tell).await,
    }
}

/// Whether the volume is PGDATA itself, not its parent.
pub fn is_volume_itself(data_dir: &Path) -> bool {
    place_of(data_dir) == Place::Inside
}

fn place_of(data_dir: &Path) -> Place {
    let parent = data_dir.parent().unwrap_or(Path::new("/"));
    let writable = nix::unistd::access(parent, nix::unistd::AccessFlags::W_OK).is_ok();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match data_dir.exists() && (is_mount_point(data_dir, &mounts) || !writable) {
        true => Place::Inside,
        false => Place::Beside,
    }
}

/// Whether a line of mountinfo (proc(5), field 5) is mounted there. Device numbers do not tell: two volumes of Docker, one inside
/// the other, are directories of one file system.
fn is_mount_point(path: &Path, mountinfo: &str) -> bool {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let escaped: String = path
        .to_string_lossy()
        .chars()
        .map(|c| if " \t\n\\".contains(c) { format!("\\{:03o}", c as u32) } else { c.to_string() })
        .collect();
    mountinfo.lines().any(|line| line.split(' ').nth(4) == Some(&escaped))
}

fn sibling(data_dir: &Path, place: Place, suffix: &str) -> PathBuf {
    match place {
        Place::Beside => {
            let mut name = data_dir.as_os_str().to_owned();
            name.push(format!(".{suffix}"));
            PathBuf::from(name)
        }
        Place::Inside => data_dir.join(format!("pgcluster.{suffix}")),
    }
}

fn list_except(dir: &Path, kept: &[&OsStr]) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| format!("read {}", dir.display()))?;
    let paths: Vec<PathBuf> = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    Ok(paths.into_iter().filter(|path| !path.file_name().is_some_and(|name| kept.contains(&name))).collect())
}

async fn remove_entries_except(dir: &Path, kept: &[&OsStr]) -> anyhow::Result<()> {
    for path in list_except(dir, kept)? {
        match path.is_dir() && !path.is_symlink() {
            true => remove_dir_all(&path).await?,
            false => fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?,
        }
    }
    Ok(())
}

fn move_entries(entries: &[PathBuf], into: &Path) -> anyhow::Result<()> {
    for path in entries {
        let name = path.file_name().context("an entry has a name")?;
        fs::rename(path, into.join(name)).with_context(|| format!("move {} into {}", path.display(), into.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_is_what_mountinfo_says() {
        let text = "22 1 0:20 / /u01/pg17 rw - ext4 /dev/vda rw\n23 22 0:20 /a /u01/pg17/da\\040ta rw - ext4 /dev/vda rw\n";
        assert!(is_mount_point(Path::new("/u01/pg17"), text));
        assert!(is_mount_point(Path::new("/u01/pg17/da ta"), text));
        assert!(!is_mount_point(Path::new("/u01/pg17/data"), text));
        assert!(!is_mount_point(Path::new("/u01"), text));
    }
}
