//! Wakes pgpool's children from the one-second sleep in which they sit out a failover or an attachment that is long over.
//!
//! `wait_for_failover_to_finish` (pgpool2, pool_query_context.c) looks once a second. SIGUSR2 ends that sleep and does nothing else: the
//! handler only sets a flag that nobody acts on in static process management (child.c, `wakeup_handler`), and the child looks again.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::observe::pool_processes::{children, is_calm, is_idle, sleeps};

const PAUSE: Duration = Duration::from_millis(10);
/// A child looks once a second, so nobody sleeps longer because of the failover that just ended.
pub const LONG_ENOUGH: Duration = Duration::from_millis(1200);
/// For the main process to come to rest after an attachment.
const CALM_PATIENCE: Duration = Duration::from_secs(2);

/// Nudges whoever sleeps, for `how_long`. Best effort: where /proc tells nothing, pgpool wakes by itself.
pub async fn wake_sleepers(how_long: Duration) {
    let began = Instant::now();
    while began.elapsed() < how_long {
        for child in children().into_iter().filter(|child| sleeps(*child)) {
            let _ = kill(child, Signal::SIGUSR2);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Lets the idle children follow now the order to restart that an attachment leaves them with.
///
/// They would keep it until their next client (`check_restart_request`, child.c), and a failover before that hands it on to the children
/// that it forks: those leave at their first client, all of them, while the main process sleeps a second (`exec_notice_pcp_child`,
/// pgpool_main.c). The signal ends their wait and does nothing else; whoever has no such order waits on.
pub async fn renew_children() {
    let began = Instant::now();
    while !is_calm() {
        if began.elapsed() > CALM_PATIENCE {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
    for child in children().into_iter().filter(|child| is_idle(*child)) {
        let _ = kill(child, Signal::SIGUSR2);
    }
}
