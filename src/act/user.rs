//! Who we run as: uid 50010, the `postgres` of the image. Root is only the way there.
//!
//! postgres refuses to run as root; initdb and libpq need a passwd entry (`reliability.md` M21). /etc/passwd is read by hand, because
//! `getpwuid` in a static glibc binary loads NSS modules at run time.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use nix::sys::prctl::set_no_new_privs;
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};

/// uid and gid of `postgres` in our images.
pub const POSTGRES_UID: u32 = 50010;

/// Directories that must belong to `postgres`. Those that do not exist are skipped.
#[derive(Clone, Copy, Debug)]
pub struct Directories<'a> {
    /// Small trees of ours: taken over as a whole when the top has another owner.
    pub config: &'a [PathBuf],
    /// Volumes: only the top is taken over, and below it only those entries whose own top has another owner.
    pub data: &'a [PathBuf],
}

/// As root: takes the directories over, becomes uid 50010 for good. As uid 50010: changes nothing. Anybody else: an error that says
/// what to set. Returns the home directory of the user we are; give it to children as HOME.
pub fn become_postgres(directories: Directories<'_>) -> Result<PathBuf> {
    match Uid::effective().as_raw() {
        POSTGRES_UID => {}
        0 => {
            take_over(directories)?;
            drop_root()?;
        }
        other => bail!(
            "run as uid {POSTGRES_UID} (postgres), not {other}: remove `user:` or set `user: \"{POSTGRES_UID}\"` in the compose file (docker run --user {POSTGRES_UID})"
        ),
    }
    home().with_context(|| format!("find uid {POSTGRES_UID} in /etc/passwd: initdb and libpq need the entry"))
}

/// Home directory of the effective user according to /etc/passwd.
pub fn home() -> Option<PathBuf> {
    home_in(&fs::read_to_string("/etc/passwd").ok()?, Uid::effective().as_raw())
}

fn home_in(passwd: &str, uid: u32) -> Option<PathBuf> {
    let uid = uid.to_string();
    passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|entry| entry.get(2) == Some(&uid.as_str()))
        .and_then(|entry| entry.get(5).map(PathBuf::from))
}

fn drop_root() -> Result<()> {
    setgroups(&[]).context("drop the supplementary groups")?;
    setgid(Gid::from_raw(POSTGRES_UID)).context("set the group id")?;
    setuid(Uid::from_raw(POSTGRES_UID)).context("set the user id")?;
    set_no_new_privs().context("set no_new_privs")
}

fn take_over(directories: Directories<'_>) -> Result<()> {
    for top in directories.config {
        if is_foreign(top)? {
            chown_tree(top)?;
        }
    }
    for top in directories.data {
        if is_foreign(top)? {
            chown(top)?;
        }
        for entry in entries(top)? {
            // ext4's own directory: root's, and of no use to us.
            if !entry.ends_with("lost+found") && is_foreign(&entry)? {
                chown_tree(&entry)?;
            }
        }
    }
    Ok(())
}

fn is_foreign(path: &Path) -> Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(meta.uid() != POSTGRES_UID),
        Err(err) if err.kind() == ErrorKind::NotFound => Ok(false),
        Err(err) => Err(err).with_context(|| format!("look at {}", path.display())),
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>> {
    let context = || format!("list {}", directory.display());
    match fs::read_dir(directory) {
        Ok(list) => list.map(|entry| Ok(entry.with_context(context)?.path())).collect(),
        Err(err) if matches!(err.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(err) => Err(err).with_context(context),
    }
}

/// The top last: a run that is killed half-way finds a foreign top again and goes on.
fn chown_tree(path: &Path) -> Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir()) {
        for entry in entries(path)? {
            chown_tree(&entry)?;
        }
    }
    chown(path)
}

/// Never follows a symlink: a link in a volume must not give away a file of the image.
fn chown(path: &Path) -> Result<()> {
    lchown(path, Some(POSTGRES_UID), Some(POSTGRES_UID)).with_context(|| format!("give {} to uid {POSTGRES_UID}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_comes_from_the_sixth_field_of_the_uid() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken\npostgres:x:50010:50010::/var/lib/postgresql:/bin/sh\n";
        assert_eq!(home_in(passwd, 50010), Some("/var/lib/postgresql".into()));
        assert_eq!(home_in(passwd, 5001), None);
    }
}
