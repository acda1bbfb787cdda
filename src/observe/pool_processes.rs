//! pgpool's processes in this container, by its pid file and the kernel.

use std::fs;

use nix::unistd::Pid;

const PID_FILE: &str = "/run/pgpool/pgpool.pid";
/// In the titles of those that serve no clients.
const OTHERS: [&str; 6] = ["health check", "PCP", "worker", "watchdog", "heartbeat", "logger"];

/// Those that serve clients, or wait for one. None where /proc tells nothing.
pub fn children() -> Vec<Pid> {
    // pgpool ends the number with a NUL byte.
    let text = fs::read_to_string(PID_FILE).unwrap_or_default();
    let parent = text.trim_matches(|c: char| !c.is_ascii_digit());
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).filter(|child| serves_clients(*child)).collect()
}

fn serves_clients(child: Pid) -> bool {
    let title = fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default();
    !OTHERS.iter().any(|other| title.contains(other))
}

/// In `sleep(3)`.
pub fn sleeps(child: Pid) -> bool {
    fs::read_to_string(format!("/proc/{child}/wchan")).unwrap_or_default().contains("nanosleep")
}
