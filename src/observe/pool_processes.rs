//! pgpool's processes in this container, by its pid file and the kernel.

use std::fs;

use nix::unistd::Pid;

const PID_FILE: &str = "/run/pgpool/pgpool.pid";
/// In the titles of those that serve no clients.
const OTHERS: [&str; 6] = ["health check", "PCP", "worker", "watchdog", "heartbeat", "logger"];

/// Those that serve clients, or wait for one. None where /proc tells nothing.
pub fn children() -> Vec<Pid> {
    let parent = parent();
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).filter(|child| serves_clients(*child)).collect()
}

/// The main process, as text.
fn parent() -> String {
    // pgpool ends the number with a NUL byte.
    fs::read_to_string(PID_FILE).unwrap_or_default().trim_matches(|c: char| !c.is_ascii_digit()).to_owned()
}

/// Whether the main process waits for whatever comes next: no failover or attachment is under way.
pub fn is_calm() -> bool {
    let place = fs::read_to_string(format!("/proc/{}/wchan", parent())).unwrap_or_default();
    place.contains("select") || place.contains("poll")
}

fn title(child: Pid) -> String {
    fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default()
}

fn serves_clients(child: Pid) -> bool {
    let title = title(child);
    !OTHERS.iter().any(|other| title.contains(other))
}

/// Waits for a client.
pub fn is_idle(child: Pid) -> bool {
    title(child).contains("wait for connection request")
}

/// In `sleep(3)`.
pub fn sleeps(child: Pid) -> bool {
    fs::read_to_string(format!("/proc/{child}/wchan")).unwrap_or_default().contains("nanosleep")
}
