//! Notices a pgpool that runs without its sockets, and ends it, so that the container starts again.
//!
//! pgpool 4.6.1 on a crowded machine was seen to lose its sockets, its pid file and its semaphores while its processes went on: new
//! sessions fail for ever then, and nobody can attach a backend. What only its own exit handlers remove is gone for good.

use std::fs;

use nix::sys::signal::{Signal, kill};

use crate::observe::pool_processes::{main_process, read_pid};
use crate::pcp;

/// The pid of the pgpool whose socket was seen; the entrypoint removes it.
pub const SEEN: &str = "/run/pgcluster/pgpool_seen";

/// Remembers the pgpool that has opened its socket.
pub fn remember() {
    if let Some(pid) = main_process()
        && read_pid(SEEN) != Some(pid)
    {
        // Without it the next check just knows less.
        let _ = fs::write(SEEN, pid.to_string());
    }
}

/// Behind the pid in `SEEN`, once that pgpool was told to end.
const TOLD: &str = " told";

/// Ends the pgpool that had a socket and has none now, at the second time by force; what was done, if anything.
pub fn end_without_socket() -> Option<String> {
    let pid = read_pid(SEEN)?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if pcp::is_there() || name.trim() != "pgpool" {
        return None;
    }
    let is_told = fs::read_to_string(SEEN).is_ok_and(|text| text.ends_with(TOLD));
    let _ = fs::write(SEEN, format!("{pid}{TOLD}"));
    // The fast shutdown: the slow one waits for clients.
    let sent = kill(pid, if is_told { Signal::SIGKILL } else { Signal::SIGINT });
    Some(match sent {
        Ok(()) if is_told => format!("killed pgpool {pid}: its sockets are gone, and it did not end"),
        Ok(()) => format!("ended pgpool {pid}: it runs, and its sockets are gone"),
        Err(error) => format!("pgpool {pid} runs without its sockets, and cannot be ended: {error}"),
    })
}
