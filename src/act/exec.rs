//! The hand-over: from here on the container's process is the server.
//!
//! What the server inherits is exactly this: descriptors without CLOEXEC (0, 1, 2 and the volume lock), default dispositions, the stop
//! signals blocked (postgres and pgpool unblock them themselves, so a stop that is pending is obeyed), and a scrubbed environment. What
//! it must never inherit is a child: postgres as PID 1 takes an unknown child that exits with a code other than 0 or 1 for a crashed
//! backend and restarts everything (`reliability.md` M1).

use std::convert::Infallible;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::execve;

use super::signal::{self, StopSignals};

/// How long a child that is still there may take to end before we refuse to hand over.
const CHILDREN_PATIENCE: Duration = Duration::from_secs(2);
/// PATH when ours is unset: the one of Docker's base images.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variables a server gets; `LC_*` too. Not `LD_PRELOAD` and its kind (code injection into a superuser's process), and nothing that
/// can hold a secret: `/proc/1/environ`, every backend, `archive_command` and `COPY … TO PROGRAM` see this environment.
const ALLOWED: [&str; 9] = ["PATH", "HOME", "LANG", "LANGUAGE", "TZ", "TERM", "PGDATA", "PG_MAJOR", "PGTZ"];

/// Replaces this process by `program` (searched in PATH if it has no slash); returns only with the reason why it could not.
/// `args` are without argv\[0\]. A stop that `stop` has read already, and that nobody obeyed, is the server's to obey.
pub fn exec(program: &Path, args: &[OsString], env: Vec<(OsString, OsString)>, stop: &StopSignals) -> Error {
    match try_exec(program, args, env, stop) {
        Ok(never) => match never {},
        Err(err) => err,
    }
}

/// Becomes a program of the operator's, with the container's own environment and signals: nothing of ours is left in it.
pub fn user_command(program: &OsStr, args: &[OsString]) -> Error {
    use std::os::unix::process::CommandExt;
    match signal::restore_for_user_command() {
        Ok(()) => {
            Error::new(std::process::Command::new(program).args(args).exec()).context(format!("exec {}", program.display()))
        }
        Err(error) => error,
    }
}

fn try_exec(program: &Path, args: &[OsString], env: Vec<(OsString, OsString)>, stop: &StopSignals) -> Result<Infallible> {
    let path = which::which(program).with_context(|| format!("find {}", program.display()))?;
    let path = c_string(path.as_os_str())?;
    let mut argv = vec![path.clone()];
    for arg in args {
        argv.push(c_string(arg)?);
    }
    let mut envp = Vec::with_capacity(env.len());
    for (mut entry, value) in env {
        entry.push("=");
        entry.push(value);
        envp.push(c_string(&entry)?);
    }
    leave_no_child()?;
    signal::keep_blocked()?;
    stop.hand_on()?;
    signal::default_dispositions().context("reset the signal dispositions")?;
    execve(&path, &argv, &envp).with_context(|| format!("exec {}", program.display()))
}

/// From here on, and in the server, a crash leaves no core file: it would hold passwords. The hard limit stays, so that an operator may
/// ask for cores (`prlimit --core=unlimited --pid …`). Best effort: a limit that cannot be lowered is no reason not to start.
pub fn write_no_core_files() {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_CORE) {
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    }
}

/// How far pgpool steps back behind the processes of ours beside it.
const STEP_BACK: i32 = 10;

/// Lets the processes of ours in a pgpool container go first: at a failover pgpool ends and forks all its children at once, and a
/// promotion that waits behind them takes a tenth of a second longer. Containers share the processors by their control groups, whatever
/// this is. Best effort.
#[allow(unsafe_code)]
pub fn step_back() {
    // SAFETY: nice(2) takes a number and touches no memory.
    unsafe { nix::libc::nice(STEP_BACK) };
}

/// Keeps of `vars` what the server may see (see `ALLOWED`); adds PATH when it is missing.
pub fn scrubbed_environment(vars: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut kept: Vec<_> = vars.filter(|(name, _)| is_allowed(name)).collect();
    if !kept.iter().any(|(name, _)| name == "PATH") {
        kept.push(("PATH".into(), DEFAULT_PATH.into()));
    }
    kept
}

fn is_allowed(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| ALLOWED.contains(&name) || name.starts_with("LC_") || names_a_fault_point(name))
}

/// In a test build pgpool's failover command, which inherits pgpool's environment, dies where the container's says (`act::fault_point`).
fn names_a_fault_point(name: &str) -> bool {
    cfg!(feature = "fault-points") && name == "PGCLUSTER_DIE_AT"
}

/// Reaps every zombie; an error if a child still lives after the patience is over. We do not kill it: it can only be a bug of ours or
/// an operator's process (adopted from `docker exec`), and a restart of the container clears both.
fn leave_no_child() -> Result<()> {
    let deadline = Instant::now() + CHILDREN_PATIENCE;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => return Ok(()),
            Err(Errno::EINTR) => {}
            Err(err) => return Err(err).context("wait for leftover children"),
            Ok(WaitStatus::StillAlive) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            Ok(WaitStatus::StillAlive) => bail!("refuse to hand over: process {} is still a child of ours", living_children()),
            Ok(status) => tracing::info!("reaped a leftover child before the hand-over: {status:?}"),
        }
    }
}

/// Like `123 (sleep), 124 (sh)`, for the message; best effort.
fn living_children() -> String {
    let children = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let named = children.split_whitespace().map(|pid| {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        format!("{pid} ({})", name.trim())
    });
    named.collect::<Vec<_>>().join(", ")
}

fn c_string(text: &OsStr) -> Result<CString> {
    CString::new(text.to_owned().into_vec()).with_context(|| {
        // Only the part before the NUL and before any "=": it may be a secret.
        let name = text.as_bytes().split(|byte| matches!(byte, 0 | b'=')).next().unwrap_or_default();
        format!("pass {} on: it contains a NUL byte", String::from_utf8_lossy(name))
    })
}
