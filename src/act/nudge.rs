//! Wakes pgpool's children from the one-second sleep in which they sit out a failover or an attachment that is long over.
//!
//! `wait_for_failover_to_finish` (pgpool2, pool_query_context.c) looks once a second. SIGUSR2 ends that sleep and does nothing else: the
//! handler only sets a flag that nobody acts on in static process management (child.c, `wakeup_handler`), and the child looks again.
//!
//! One waiting client sends every idle child into that sleep, and whoever wakes and finds the client served leaves to be forked anew, for
//! which the main process takes its time (`exec_notice_pcp_child`, pgpool_main.c). So only those are woken who have let a client in, and of
//! the others as many as clients wait.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::observe::pool_processes::sleepers;
use crate::observe::sockets::{Connection, count_in_line, holds_any, list_established};

const PAUSE: Duration = Duration::from_millis(10);
/// A child looks once a second, so nobody sleeps longer because of the failover that just ended.
pub const LONG_ENOUGH: Duration = Duration::from_millis(1200);

/// Wakes the sleepers that are wanted at pgpool's `port`, for `how_long`. Best effort: where /proc tells nothing, and for clients of the
/// Unix socket, pgpool wakes by itself.
pub async fn wake_sleepers(port: u16, how_long: Duration) {
    let began = Instant::now();
    // Whoever sleeps cannot let a client in: nobody is looked at twice.
    let mut alone: HashSet<Pid> = HashSet::new();
    while began.elapsed() < how_long {
        let sleepers = sleepers();
        alone.retain(|child| sleepers.contains(child));
        if !sleepers.is_empty() {
            let clients: Vec<Connection> = list_established().into_iter().filter(|client| client.local.port() == port).collect();
            alone.extend(
                sleepers.iter().filter(|child| !alone.contains(child) && !holds_any(**child, &clients)).collect::<Vec<_>>(),
            );
            let (free, engaged): (Vec<Pid>, Vec<Pid>) = sleepers.into_iter().partition(|child| alone.contains(child));
            for child in engaged.into_iter().chain(free.into_iter().take(count_in_line(port))) {
                let _ = kill(child, Signal::SIGUSR2);
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
