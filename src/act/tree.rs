//! Data directories as a whole: make them durable, move them, take them away.
//!
//! These can take minutes; they run on a blocking thread, so that the waiting room goes on answering.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::statfs::{BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, XFS_SUPER_MAGIC, fstatfs};
use nix::unistd::syncfs;

use super::file::{parent_of, sync_directory};

/// Makes everything below `directory` durable, tablespaces and a linked pg_wal included.
///
/// syncfs where it is a guarantee: ext4, xfs, btrfs, f2fs, on Linux 5.8 or newer, which reports write errors through it (syncfs(2)).
/// Elsewhere (FUSE of Docker Desktop, NFS, overlay) fsync of every file. Measured on ext4, 1000 files, 40 MB, just written: 0.02 s
/// against 0.16 s; nothing dirty: 0.000 s against 0.05 s.
pub async fn sync_tree(directory: &Path) -> Result<()> {
    let directory = directory.to_owned();
    blocking(move || {
        for root in roots(&directory)? {
            let top = File::open(&root).with_context(|| format!("open {}", root.display()))?;
            if is_syncfs_a_guarantee(&top) {
                syncfs(&top).with_context(|| format!("sync the file system of {}", root.display()))?;
            } else {
                sync_each(&root)?;
            }
        }
        Ok(())
    })
    .await
}

/// Renames a directory on its file system, durably. `to` must not exist, or be an empty directory.
pub fn rename_dir(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("rename {} to {}", from.display(), to.display()))?;
    sync_directory(parent_of(to))?;
    if parent_of(from) != parent_of(to) {
        sync_directory(parent_of(from))?;
    }
    Ok(())
}

/// Removes a directory with all in it; nothing there is success. A symlink is refused: somebody put the data elsewhere on purpose, and
/// neither removing the link nor what is behind it is what was meant. Links inside are removed, not followed.
pub async fn remove_dir_all(directory: &Path) -> Result<()> {
    let directory = directory.to_owned();
    blocking(move || {
        match fs::symlink_metadata(&directory) {
            Err(err) if err.kind() == ErrorKind::NotFound => return Ok(()),
            Ok(meta) if meta.is_symlink() => bail!("refuse to remove {}: it is a symlink", directory.display()),
            Ok(_) | Err(_) => {}
        }
        fs::remove_dir_all(&directory).with_context(|| format!("remove {}", directory.display()))
    })
    .await
}

/// The tree and what it links to from the places PostgreSQL uses: links in PGDATA (pg_wal) and in PGDATA/pg_tblspc.
fn roots(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut roots = vec![directory.to_owned()];
    for place in [directory.to_owned(), directory.join("pg_tblspc")].iter().filter(|place| place.is_dir()) {
        for entry in fs::read_dir(place).with_context(|| format!("list {}", place.display()))? {
            let path = entry?.path();
            if path.is_symlink() && path.is_dir() {
                roots.push(path.canonicalize().with_context(|| format!("follow {}", path.display()))?);
            }
        }
    }
    Ok(roots)
}

fn is_syncfs_a_guarantee(top: &File) -> bool {
    let kind = fstatfs(top).map(|stat| stat.filesystem_type());
    let local = [EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC];
    kind.is_ok_and(|kind| local.contains(&kind))
        && fs::read_to_string("/proc/sys/kernel/osrelease").is_ok_and(|text| reports_errors(&text))
}

/// Whether this kernel release is 5.8 or newer.
fn reports_errors(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 8)
}

/// Files first, their directory last.
fn sync_each(directory: &Path) -> Result<()> {
    for entry in fs::read_dir(directory).with_context(|| format!("list {}", directory.display()))? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            sync_each(&entry.path())?;
        } else if kind.is_file() {
            File::open(entry.path())
                .and_then(|file| file.sync_all())
                .with_context(|| format!("sync {}", entry.path().display()))?;
        }
    }
    sync_directory(directory)
}

async fn blocking(work: impl FnOnce() -> Result<()> + Send + 'static) -> Result<()> {
    tokio::task::spawn_blocking(work).await.context("end the blocking thread")?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::tempdir;

    #[tokio::test]
    async fn links_postgres_uses_are_synced_too() {
        let dir = tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for name in ["data/pg_tblspc", "data/base", "space", "wal"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        fs::write(path("data/base/1"), "x").unwrap();
        symlink(path("wal"), path("data/pg_wal")).unwrap();
        symlink(path("space"), path("data/pg_tblspc/16384")).unwrap();
        assert_eq!(roots(&path("data")).unwrap().len(), 3);
        sync_tree(&path("data")).await.unwrap();
        sync_each(&path("data")).unwrap();
        assert!(sync_tree(&path("nothing")).await.is_err());
    }

    #[tokio::test]
    async fn a_symlink_is_never_removed() {
        let dir = tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::create_dir(&real).unwrap();
        fs::write(real.join("row"), "x").unwrap();
        symlink(&real, &link).unwrap();
        assert!(remove_dir_all(&link).await.unwrap_err().to_string().contains("symlink"));
        assert!(link.is_symlink() && real.join("row").exists());
        let outer = dir.path().join("outer");
        fs::create_dir(&outer).unwrap();
        symlink(&real, outer.join("inner")).unwrap();
        remove_dir_all(&outer).await.unwrap();
        remove_dir_all(&outer).await.unwrap();
        assert!(real.join("row").exists());
    }

    #[test]
    fn a_directory_with_something_in_it_is_never_renamed_over() {
        let dir = tempdir().unwrap();
        let (new, old) = (dir.path().join("new"), dir.path().join("old"));
        fs::create_dir(&new).unwrap();
        fs::create_dir(&old).unwrap();
        rename_dir(&new, &old).unwrap();
        fs::write(old.join("row"), "x").unwrap();
        fs::create_dir(&new).unwrap();
        assert!(rename_dir(&new, &old).is_err());
    }

    #[test]
    fn kernel_releases() {
        for (release, expected) in [("5.4.0-generic", false), ("5.8.1", true), ("6.18.44-fc", true), ("5.10", true), ("", false)]
        {
            assert_eq!(reports_errors(release), expected, "{release}");
        }
    }
}
