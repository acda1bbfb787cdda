//! Wakes pgpool's children from the one-second sleep in which they sit out a failover or an attachment that is long over, and those who
//! should have left long ago.
//!
//! `wait_for_failover_to_finish` (pgpool2, pool_query_context.c) looks once a second. SIGUSR2 ends that sleep and does nothing else: the
//! handler only sets a flag that nobody acts on in static process management (child.c, `wakeup_handler`), and the child looks again.
//!
//! One waiting client sends every idle child into that sleep, and whoever wakes and finds the client served leaves to be forked anew, for
//! which the main process takes its time (`exec_notice_pcp_child`, pgpool_main.c). So only those are woken who have let a client in, and of
//! the others as many as clients wait.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::observe::pool::changed_at;
use crate::observe::pool_processes::{is_deaf, is_main_asleep, is_main_idle, listener, sleepers};
use crate::observe::processes::{Process, process};
use crate::observe::sockets::{clients_of, holds_any};

const PAUSE: Duration = Duration::from_millis(10);
/// A child looks once a second, so nobody sleeps longer because of the failover that just ended.
pub const LONG_ENOUGH: Duration = Duration::from_millis(1200);

/// Between two looks at the line of clients. The kernel goes through all the machine's connections for each.
const COUNT_PAUSE: Duration = Duration::from_millis(30);

/// Wakes the sleepers that are wanted at pgpool's `port`, for `how_long`. Best effort: where /proc tells nothing, and for clients of the
/// Unix socket, pgpool wakes by itself.
pub async fn wake_sleepers(port: u16, how_long: Duration) {
    let began = Instant::now();
    // Who sleeps, and whether it has a client. Until it is woken it can neither let one in nor go: nobody is looked at twice.
    let mut sleeping: HashMap<Pid, bool> = HashMap::new();
    let mut counted: Option<Instant> = None;
    while began.elapsed() < how_long {
        let sleepers = sleepers();
        sleeping.retain(|child, _| sleepers.contains(child));
        let new: Vec<Pid> = sleepers.into_iter().filter(|child| !sleeping.contains_key(child)).collect();
        let (engaged, free): (Vec<Pid>, Vec<Pid>) = sleeping.keys().partition(|child| sleeping[child]);
        let is_over = !engaged.is_empty() && is_main_asleep();
        for child in engaged {
            match is_over && is_deaf(child) {
                // Its client would wait out the second, and most of the others are served by then: let it come again.
                true => end(child),
                false => wake(child),
            }
        }
        let shall_count = counted.is_none_or(|at| at.elapsed() >= COUNT_PAUSE);
        if !new.is_empty() || (shall_count && !free.is_empty()) {
            let clients = clients_of(port);
            let in_line = if shall_count { clients.in_line } else { 0 };
            let wanted: Vec<Pid> = free.iter().chain(&new).take(in_line).copied().collect();
            // Before the new ones are looked at, one by one: that takes its time where all fell asleep at once.
            for child in &wanted {
                wake(*child);
                // It may let a client in, and sleep again.
                sleeping.remove(child);
            }
            if shall_count {
                counted = Some(Instant::now());
            }
            for child in new.into_iter().filter(|child| !wanted.contains(child)) {
                let is_engaged = holds_any(child, &clients.connections);
                if is_engaged {
                    wake(child);
                }
                sleeping.insert(child, is_engaged);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// It may have ended since.
fn wake(child: Pid) {
    let _ = kill(child, Signal::SIGUSR2);
}

/// pgpool forks another one after this death.
fn end(child: Pid) {
    if kill(child, Signal::SIGKILL).is_ok() {
        tracing::info!("killed child {child} of pgpool: it met the failover with a client that had no session yet, and slept");
    }
}

/// Then whoever is older is busy, and leaves when its client does.
const STALE: Duration = Duration::from_secs(60);
/// Between two of them: pgpool's main process forks one in a thousandth of a second or two.
const STEP: Duration = Duration::from_millis(5);
/// For the end of the failover or the attachment, which is a second of sleep, and for all children.
const RENEWAL: Duration = Duration::from_millis(2500);
/// After so many steps without a child that waits for a client, all are taken to be busy.
const CROWDED: u32 = 40;
/// A marked child that is woken leaves in milliseconds.
const LEAVING: Duration = Duration::from_millis(100);

/// Has the idle children that are older than pgpool's last change of mind forked anew, one at a time.
///
/// An attachment marks every child, which leaves when it sees the mark (`check_restart_request`, child.c); and whoever waits in line for a
/// client does not look. The next failover forks all children anew and does not wipe the marks off: each new one would leave at once,
/// and for a second nobody would be there for a client (`exec_child_restart`, pgpool_main.c).
pub async fn renew_idle() {
    let settled = changed_at().and_then(|changed| changed.elapsed().ok());
    let Some(settled) = settled.filter(|settled| *settled < STALE) else { return };
    let began = Instant::now();
    let mut nobody = 0;
    while began.elapsed() < RENEWAL && nobody < CROWDED {
        match is_main_idle().then(listener) {
            None => {}
            Some(Some(child)) if child.age() > settled + began.elapsed() => {
                wake(Pid::from_raw(child.pid.cast_signed()));
                if !leaves(&child).await {
                    return;
                }
            }
            Some(Some(_)) => return,
            Some(None) => nobody += 1,
        }
        tokio::time::sleep(STEP).await;
    }
}

async fn leaves(child: &Process) -> bool {
    let began = Instant::now();
    while process(child.pid).as_ref() == Some(child) {
        if began.elapsed() > LEAVING {
            return false;
        }
        tokio::time::sleep(STEP).await;
    }
    true
}
