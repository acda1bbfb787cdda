//! pgpool's processes in this container, by their parent and the kernel.

use std::fs;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::observe::processes::{Process, process};

/// Written by the entrypoint, which becomes pgpool. pgpool may lose its own.
pub const PID_FILE: &str = "/run/pgcluster/pgpool.pid";
/// In the titles of those that serve no clients.
const OTHERS: [&str; 6] = ["health check", "PCP", "worker", "watchdog", "heartbeat", "logger"];

/// Those that serve clients, or wait for one. None where /proc tells nothing.
pub fn children() -> Vec<Pid> {
    forked().into_iter().filter(|child| serves_clients(*child)).collect()
}

/// Those of them that are in `sleep(3)`.
pub fn sleepers() -> Vec<Pid> {
    children_in("nanosleep")
}

/// Whether this sleeper, whom SIGUSR2 was sent to, cannot be woken, and has no session yet: it met the failover when it looked for a backend
/// for its client, and sleeps with all signals blocked (`pool_virtual_main_db_node_id` in pool_query_context.c).
pub fn is_deaf(child: Pid) -> bool {
    let status = || fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
    title(child).contains("accept connection") && is_pending(&status(), Signal::SIGUSR2)
}

/// Masks of what waits for the thread and for the process (`man 5 proc_pid_status`).
fn is_pending(status: &str, signal: Signal) -> bool {
    let pending = status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    pending.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok()).any(|mask| mask & (1 << (signal as u32 - 1)) != 0)
}

/// Those that wait for a lock which nobody but themselves holds: a signal met them where its handler must not run (`die` in child.c frees
/// memory). All signals are blocked in it.
pub fn deadlocked() -> Vec<Pid> {
    children_in("futex")
}

/// Those of the children that the kernel has asleep in such a function.
fn children_in(function: &str) -> Vec<Pid> {
    forked().into_iter().filter(|child| waits_in(*child).contains(function) && serves_clients(*child)).collect()
}

/// The child that takes the next client; the others wait in line for its place (`serialize_accept`). Where they do not, the oldest one
/// that waits for a client.
pub fn listener() -> Option<Process> {
    // Of the PCP process's title these words are a part, too.
    let waits = |child: &Pid| title(*child).contains("wait for connection request");
    let waiting = children().into_iter().filter(waits).filter_map(|child| process(child.as_raw().cast_unsigned()));
    waiting.max_by_key(Process::age)
}

fn forked() -> Vec<Pid> {
    let Some(main) = main_process() else { return Vec::new() };
    let list = fs::read_to_string(format!("/proc/{main}/task/{main}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| pid.parse().ok()).map(Pid::from_raw).collect()
}

/// Of the pgpool that runs here, or ran.
pub fn main_process() -> Option<Pid> {
    fs::read_to_string(PID_FILE).ok()?.parse().ok().map(Pid::from_raw)
}

fn title(child: Pid) -> String {
    fs::read_to_string(format!("/proc/{child}/cmdline")).unwrap_or_default()
}

fn serves_clients(child: Pid) -> bool {
    let title = title(child);
    !OTHERS.iter().any(|other| title.contains(other))
}

/// Whether the main process is at leisure, and forks children that leave: not in a failover or in the second of sleep that ends one.
pub fn is_main_idle() -> bool {
    main_waits_in("poll_schedule")
}

/// Whether the main process is in that second of sleep, or in one before it looks for a primary again: nobody is forked.
pub fn is_main_asleep() -> bool {
    main_waits_in("nanosleep")
}

fn main_waits_in(function: &str) -> bool {
    main_process().is_some_and(|main| waits_in(main).contains(function))
}

/// Whether there are semaphores in this container: pgpool makes them before its sockets. Yes, where /proc tells nothing.
pub fn has_semaphores() -> bool {
    // Below a line of titles.
    fs::read_to_string("/proc/sysvipc/sem").map_or(true, |list| list.lines().count() > 1)
}

/// The kernel's function that it sleeps in.
fn waits_in(process: Pid) -> String {
    fs::read_to_string(format!("/proc/{process}/wchan")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_waits_is_seen() {
        let status = |thread: &str, process: &str| {
            format!("SigQ:\t2/96365\nSigPnd:\t{thread}\nShdPnd:\t{process}\nSigBlk:\tfffffffe3ff9fa07\n")
        };
        let seen = |thread, process| is_pending(&status(thread, process), Signal::SIGUSR2);
        assert!(seen("0000000000000000", "0000000000000800"));
        assert!(seen("0000000000000800", "0000000000000000"));
        assert!(!seen("0000000000000000", "0000000000010000"));
    }
}
