//! Notices a pgpool that lost what all its processes share, and ends it, so that the container starts again.
//!
//! How it comes to lose that is told in `pool_guard.rs`, which leaves a gap before the first health check. The processes go on, but
//! nobody can attach a backend, and what they do at once they do to each other. What only exit handlers remove is gone for good.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};

use crate::observe::pool_processes::{has_semaphores, main_process};
use crate::observe::sockets::is_listened_to;
use crate::pcp;

/// There once pgpool was told to end; the entrypoint removes it.
pub const TOLD: &str = "/run/pgcluster/pgpool_told";

/// Ends a pgpool that was whole and is not any more; what was done, if anything.
pub fn end_maimed() -> Option<String> {
    end(lost()?)
}

/// At the second time by force. `lost`: why, in words.
pub fn end(lost: &str) -> Option<String> {
    let pid = main_process()?;
    let is_told = Path::new(TOLD).exists();
    // Without it the next check tells it once more.
    let _ = fs::write(TOLD, lost);
    // The fast shutdown: the slow one waits for clients.
    let sent = kill(pid, if is_told { Signal::SIGKILL } else { Signal::SIGINT });
    Some(match sent {
        Ok(()) if is_told => format!("killed pgpool {pid}: {lost}, and it did not end"),
        Ok(()) => format!("ended pgpool {pid}: it runs, and {lost}"),
        Err(error) => format!("pgpool {pid} runs, {lost}, and it cannot be ended: {error}"),
    })
}

/// Of a pgpool that has opened its sockets: the kernel knows their paths as long as somebody listens.
fn lost() -> Option<&'static str> {
    if !is_listened_to(pcp::SOCKET) {
        return None;
    }
    match (pcp::is_there(), has_semaphores()) {
        (true, true) => None,
        (false, _) => Some("its sockets are gone"),
        (true, false) => Some("its semaphores are gone"),
    }
}
