//! The birth of a child process: what it has from us, which is next to nothing.
//!
//! It is the leader of a process group of its own, has an empty signal mask, default dispositions and its own environment, and dies
//! with us: PR_SET_PDEATHSIG follows the thread that forked, which is our main thread on the `current_thread` runtime.

use std::ffi::OsString;
use std::io;
use std::process::Stdio;

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{getpid, getppid};
use tokio::process::Child;

use super::command::Command;
use super::exec::DEFAULT_PATH;
use super::signal::default_dispositions;
use super::user;

pub(crate) fn spawn(wish: &Command) -> io::Result<Child> {
    let mut command = tokio::process::Command::new(&wish.program);
    command.args(&wish.args).env_clear().envs(base_environment()).envs(wish.env.iter().map(|(name, value)| (name, value)));
    if let Some(directory) = &wish.cwd {
        command.current_dir(directory);
    }
    let stdin = if wish.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0).kill_on_drop(true);
    start_clean(&mut command);
    command.spawn()
}

#[allow(unsafe_code)]
fn start_clean(command: &mut tokio::process::Command) {
    let parent = getpid();
    let in_child = move || {
        set_pdeathsig(Signal::SIGKILL)?;
        // We may have died between fork and prctl: then nobody would ever kill it.
        if getppid() != parent {
            return Err(io::Error::from_raw_os_error(nix::libc::ESRCH));
        }
        default_dispositions()?;
        SigSet::empty().thread_set_mask()?;
        Ok(())
    };
    // SAFETY: between fork and exec; only async-signal-safe system calls, no allocation, no lock.
    unsafe { command.pre_exec(in_child) };
}

fn base_environment() -> Vec<(&'static str, OsString)> {
    let mut env: Vec<_> = ["LANG", "TZ"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))).collect();
    env.push(("PATH", std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into())));
    env.push(("HOME", user::home().map_or_else(|| "/".into(), Into::into)));
    env
}
