//! Processes of this container, by the kernel: who hangs on process 1, and since when.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// USER_HZ, which is the same wherever Docker runs.
const TICKS_PER_S: u64 = 100;

/// One process, as `/proc/PID/stat` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The first 15 letters of its program's name.
    pub name: String,
    pub parent: u32,
    /// When it started, in ticks since the machine did.
    started: u64,
}

/// Children of process 1. A process that ends meanwhile is not among them.
pub fn children_of_the_first() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(process).filter(|process| process.parent == 1).collect()
}

pub fn process(pid: u32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

impl Process {
    /// How long it has been running.
    pub fn age(&self) -> Duration {
        now().saturating_sub(Duration::from_millis(self.started * 1000 / TICKS_PER_S))
    }
}

/// Seconds since the machine started: goes on during a pause, and never jumps.
pub fn now_s() -> u64 {
    now().as_secs()
}

fn now() -> Duration {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(Duration::ZERO, Duration::from)
}

/// `pid (name) state ppid …`, fields 1, 2, 4 and 22 of proc_pid_stat(5); a name may hold blanks and parentheses.
fn parse(stat: &str) -> Option<Process> {
    let (pid, rest) = stat.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(Process {
        pid: pid.parse().ok()?,
        name: name.into(),
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Process, now, parse, process};

    #[test]
    fn a_name_may_look_like_the_fields_around_it() {
        let stat = "42 (a) S (b c) S 1 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 12345 1000 50";
        let seen = Process { pid: 42, name: "a) S (b c".into(), parent: 1, started: 12345 };
        assert_eq!(parse(stat), Some(seen));
        assert_eq!(parse("42 (a"), None);
    }

    #[test]
    fn this_process_is_seen_and_young() {
        let own = process(std::process::id()).expect("it runs");
        assert_eq!(own.parent, std::os::unix::process::parent_id());
        assert!(own.age() <= now());
    }
}
