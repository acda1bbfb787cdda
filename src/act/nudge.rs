//! Wakes pgpool's children from the one-second sleep in which they sit out a failover or an attachment that is long over.
//!
//! `wait_for_failover_to_finish` (pgpool2, pool_query_context.c) looks once a second. SIGUSR2 ends that sleep and does nothing else: the
//! handler only sets a flag that nobody acts on in static process management (child.c, `wakeup_handler`), and the child looks again.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::observe::pool_processes::{children, sleeps};

const PAUSE: Duration = Duration::from_millis(10);
/// A child looks once a second, so nobody sleeps longer because of the failover that just ended.
pub const LONG_ENOUGH: Duration = Duration::from_millis(1200);

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
