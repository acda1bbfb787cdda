//! Notices a pgpool that lost what all its processes share, and ends it, so that the container starts again.
//!
//! Its main process forks a new child with signals unblocked, and only the child lets go of the main process's exit handlers
//! (`check_requests`, `reaper` and `fork_a_child` in pgpool2, src/main/pgpool_main.c). A failover that comes in between tells the child to
//! end: on a busy machine one in a few then removes the semaphores, the sockets and the pid file of all, and pgpool logs
//! "system_will_go_down called from invalid process". Its processes go on, but nobody can attach a backend, and what they do at once they
//! do to each other. What only exit handlers remove is gone for good.

use std::fs;

use nix::sys::signal::{Signal, kill};

use crate::observe::pool_processes::{has_semaphores, main_process, read_pid};
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

/// Ends the pgpool that was seen whole and is not any more, at the second time by force; what was done, if anything.
pub fn end_maimed() -> Option<String> {
    let lost = match (pcp::is_there(), has_semaphores()) {
        (true, true) => return None,
        (false, _) => "its sockets are gone",
        (true, false) => "its semaphores are gone",
    };
    let pid = read_pid(SEEN)?;
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    if name.trim() != "pgpool" {
        return None;
    }
    let is_told = fs::read_to_string(SEEN).is_ok_and(|text| text.ends_with(TOLD));
    let _ = fs::write(SEEN, format!("{pid}{TOLD}"));
    // The fast shutdown: the slow one waits for clients.
    let sent = kill(pid, if is_told { Signal::SIGKILL } else { Signal::SIGINT });
    Some(match sent {
        Ok(()) if is_told => format!("killed pgpool {pid}: {lost}, and it did not end"),
        Ok(()) => format!("ended pgpool {pid}: it runs, and {lost}"),
        Err(error) => format!("pgpool {pid} runs, {lost}, and it cannot be ended: {error}"),
    })
}
