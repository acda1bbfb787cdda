//! Wakes pgpool's children from the one-second sleep in which they sit out a failover or an attachment that is long over.
//!
//! `wait_for_failover_to_finish` (pgpool2, pool_query_context.c) looks once a second. SIGUSR2 ends that sleep and does nothing else: the
//! handler only sets a flag that nobody acts on in static process management (child.c, `wakeup_handler`), and the child looks again.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PID_FILE: &str = "/run/pgpool/pgpool.pid";
const PAUSE: Duration = Duration::from_millis(10);
/// A child looks once a second, so nobody sleeps longer because of the failover that just ended.
pub const LONG_ENOUGH: Duration = Duration::from_millis(1200);

/// Nudges whoever sleeps, for `how_long`. Best effort: where /proc tells nothing, pgpool wakes by itself.
pub async fn wake_sleepers(how_long: Duration) {
    let began = Instant::now();
    while began.elapsed() < how_long {
        for child in children() {
            if sleeps(child) {
                let _ = kill(child, Signal::SIGUSR2);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn children() -> Vec<Pid> {
    // pgpool ends the number with a NUL byte.
    let text = fs::read_to_string(PID_FILE).unwrap_or_default();
    let parent = text.trim_matches(|c: char| !c.is_ascii_digit());
    let list = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

/// In `sleep(3)`, and one of the children that serve clients: the title tells them from the health checkers.
fn sleeps(child: Pid) -> bool {
    let read = |file: &str| fs::read_to_string(format!("/proc/{child}/{file}")).unwrap_or_default();
    if !read("wchan").contains("nanosleep") {
        return false;
    }
    let title = read("cmdline");
    !["health check", "PCP", "worker", "watchdog", "heartbeat", "logger"].iter().any(|other| title.contains(other))
}
