//! One container per data volume, ever.
//!
//! postmaster.pid does not see a second container: both are PID 1 (`reliability.md` M2). The lock is a flock on a file in the volume,
//! whose descriptor the server inherits through exec: postmaster and all backends hold it, and the kernel frees it when the last of
//! them is gone, after a SIGKILL too (M3). A volume that is PGDATA itself is locked by its top directory: a file of ours in there would
//! travel with every copy and be swept away by pg_rewind.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::fd::IntoRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use tokio::time::{Instant, sleep};

/// Name of the lock file in the top directory of a volume.
pub const LOCK_FILE: &str = ".pgcluster.lock";

const POLL: Duration = Duration::from_millis(200);
/// How often the wait is told again.
const REPEAT: Duration = Duration::from_secs(10);

/// The lock on a data volume. Dropping it frees the volume; children never inherit it before `keep_through_exec`.
#[derive(Debug)]
pub struct VolumeLock(File);

/// Why the volume is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else has it: a caller exits with EX_TEMPFAIL, and the restart policy tries again.
    #[error("lock {path}: {holder} still holds it after {waited:?}")]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Like `another container (pg01-abc since 2026-07-24T10:00:00Z)`.
        holder: String,
        /// How long we waited.
        waited: Duration,
    },
    /// The file cannot be opened, or its file system has no flock.
    #[error("lock {path}: {source}")]
    Impossible {
        /// The lock file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl VolumeLock {
    /// Takes the lock of `volume`, waiting at most `patience`. `on_wait` hears who holds it, at once and then every ten seconds.
    /// Cancel-safe.
    pub async fn take(volume: &Path, patience: Duration, on_wait: impl FnMut(&str)) -> Result<Self, LockError> {
        Self::take_at(volume.join(LOCK_FILE), patience, on_wait).await
    }

    /// The same for a directory that must not get a lock file; who holds it is not known then.
    pub async fn take_directory(top: &Path, patience: Duration, on_wait: impl FnMut(&str)) -> Result<Self, LockError> {
        Self::take_at(top.to_path_buf(), patience, on_wait).await
    }

    async fn take_at(path: PathBuf, patience: Duration, mut on_wait: impl FnMut(&str)) -> Result<Self, LockError> {
        let start = Instant::now();
        let mut told: Option<Instant> = None;
        loop {
            match try_take(&path) {
                Ok(Some(file)) => return Ok(Self(file)),
                Ok(None) => {}
                Err(source) => return Err(LockError::Impossible { path, source }),
            }
            let holder = holder(&path);
            if start.elapsed() >= patience {
                return Err(LockError::Held { path, holder, waited: patience });
            }
            if told.is_none_or(|at| at.elapsed() >= REPEAT) {
                on_wait(&format!("{holder} holds {}", path.display()));
                told = Some(Instant::now());
            }
            sleep(POLL.min(patience)).await;
        }
    }

    /// Hands the lock to the program we exec: the descriptor stays open, and is no longer ours to close.
    pub fn keep_through_exec(self) -> Result<()> {
        fcntl(&self.0, FcntlArg::F_SETFD(FdFlag::empty())).context("keep the volume lock through exec")?;
        let _ = self.0.into_raw_fd();
        Ok(())
    }
}

/// Opens this file, made if need be, and locks it without waiting. `None` if another process has it locked.
pub fn try_lock(path: &Path) -> io::Result<Option<File>> {
    locked(OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?)
}

fn locked(file: File) -> io::Result<Option<File>> {
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(err)) => Err(err),
    }
}

/// One try; `None` if somebody else holds it.
fn try_take(path: &Path) -> io::Result<Option<File>> {
    let is_directory = path.is_dir();
    let taken = match is_directory {
        true => locked(File::open(path)?)?,
        false => try_lock(path)?,
    };
    let Some(file) = taken else { return Ok(None) };
    // A lock on a file that was removed or replaced meanwhile excludes nobody.
    if !std::fs::metadata(path)
        .is_ok_and(|meta| file.metadata().is_ok_and(|ours| (ours.dev(), ours.ino()) == (meta.dev(), meta.ino())))
    {
        return Ok(None);
    }
    // Only for the message of the one who waits: a full disk must not keep the volume locked out.
    if let Some(err) = (!is_directory).then(|| sign(&file)).and_then(Result::err) {
        tracing::warn!("write our name into {}: {err}", path.display());
    }
    Ok(Some(file))
}

fn sign(file: &File) -> io::Result<()> {
    let name = nix::unistd::gethostname().unwrap_or_default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // One write over what was there, and never cut first: each change of the inode waits while the file system's journal is busy.
    let line = format!("{} since {}", name.to_string_lossy(), utc(now));
    let length = (file.metadata()?.len() as usize).max(line.len() + 1);
    file.write_all_at(format!("{line:<width$}\n", width = length - 1).as_bytes(), 0)
}

fn holder(path: &Path) -> String {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(400).read_to_string(&mut text));
    match (read, text.trim()) {
        (Err(_), _) | (Ok(_), "") => "another container".to_owned(),
        (Ok(_), name) => format!("another container ({name})"),
    }
}

/// Seconds since 1970 as RFC 3339. The days → date part is Howard Hinnant's `civil_from_days`.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_agrees_with_date() {
        for (seconds, expected) in
            [(0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (1_798_761_599, "2026-12-31T23:59:59Z")]
        {
            assert_eq!(utc(seconds), expected);
        }
    }

    #[tokio::test]
    async fn a_second_taker_hears_who_holds_it_and_gets_it_afterwards() {
        let dir = tempfile::tempdir().unwrap();
        let first = VolumeLock::take(dir.path(), Duration::ZERO, |_| ()).await.unwrap();
        let mut told = Vec::new();
        let err = VolumeLock::take(dir.path(), Duration::from_millis(500), |text| told.push(text.to_owned())).await.unwrap_err();
        assert!(matches!(err, LockError::Held { .. }), "{err}");
        let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
        assert_eq!(told.len(), 1);
        assert!(told[0].starts_with(&format!("another container ({host} since 20")), "{}", told[0]);
        drop(first);
        // A child that another test forks at this moment holds a copy of the descriptor until it execs.
        VolumeLock::take(dir.path(), Duration::from_secs(5), |_| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_directory_is_locked_without_leaving_anything_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = VolumeLock::take_directory(dir.path(), Duration::ZERO, |_| ()).await.unwrap();
        let err = VolumeLock::take_directory(dir.path(), Duration::ZERO, |_| ()).await.unwrap_err();
        assert!(err.to_string().contains("another container still holds it"), "{err}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        drop(first);
        VolumeLock::take_directory(dir.path(), Duration::from_secs(5), |_| ()).await.unwrap();
    }

    #[tokio::test]
    async fn a_volume_that_is_not_there_is_no_reason_to_wait() {
        let dir = tempfile::tempdir().unwrap();
        let result = VolumeLock::take(&dir.path().join("no"), Duration::from_secs(60), |_| ()).await;
        assert!(matches!(result, Err(LockError::Impossible { .. })));
    }
}
