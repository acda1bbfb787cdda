//! Named places where a test build can stop, or die as a `kill -9` or a power cut would make it.
//!
//! With the cargo feature `fault-points`, `PGCLUSTER_DIE_AT=name` dies at that place each time; `PGCLUSTER_DIE_AT=name@/path/marker`
//! only while the marker file does not exist, and creates it first: a container's environment cannot change between two restarts.
//! `PGCLUSTER_STOP_AT=name` stops there (SIGSTOP) until somebody sends SIGCONT. Without the feature nothing is compiled in.

/// Dies or stops here if the test asked for it.
#[cfg(not(feature = "fault-points"))]
#[inline(always)]
pub fn fault_point(_name: &str) {}

/// Dies or stops here if the test asked for it.
#[cfg(feature = "fault-points")]
pub fn fault_point(name: &str) {
    let wish = std::env::var("PGCLUSTER_DIE_AT").unwrap_or_default();
    if is_due(&wish, name) {
        tracing::warn!("die at fault point {name}");
        die();
    }
    if std::env::var("PGCLUSTER_STOP_AT").is_ok_and(|place| place == name) {
        let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
    }
}

#[cfg(feature = "fault-points")]
fn is_due(wish: &str, name: &str) -> bool {
    match wish.split_once('@') {
        None => wish == name,
        Some((place, marker)) => place == name && std::fs::File::create_new(marker).is_ok(),
    }
}

/// SIGKILL where the kernel lets us; PID 1 cannot kill itself from inside its own namespace (the signal is dropped), so there we leave
/// at once with the code that Docker shows for a SIGKILL: no destructor, no buffer flush, and the namespace dies with us.
#[cfg(feature = "fault-points")]
#[allow(unsafe_code)]
fn die() -> ! {
    let _ = nix::sys::signal::kill(nix::unistd::Pid::this(), nix::sys::signal::Signal::SIGKILL);
    // SAFETY: _exit has no preconditions.
    unsafe { nix::libc::_exit(137) }
}
