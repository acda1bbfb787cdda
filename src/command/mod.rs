//! One file per subcommand: spec, observe, plan, act, print.

pub mod after_failover;
pub mod backend;
pub mod bootstrap;
pub mod check;
pub mod completions;
pub mod doctor;
pub mod env;
pub mod events;
pub mod explain;
pub mod failover;
pub mod health;
pub mod nodes;
pub mod operator;
pub mod pause;
pub mod pgpool;
pub mod plan;
pub mod postgres;
pub mod promote;
pub mod rejoin;
pub mod reload;
pub mod render;
pub mod smoke;
pub mod status;
pub mod stop;
pub mod switchover;
pub mod tripwire;
pub mod users;
pub mod wal;
pub mod watch_password;

use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::act::command::CommandError;
use crate::act::configuration::OwnedInFiles;
use crate::act::lock::LockError;
use crate::exit::Exit;
use crate::spec::Violations;

/// Ended by a stop signal before there was a server.
#[derive(Debug, thiserror::Error)]
#[error("stopped by {0} before the server was started")]
pub struct Stopped(pub nix::sys::signal::Signal);

/// The exit code that an error stands for.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    for cause in error.chain() {
        if cause.is::<Violations>() || cause.is::<OwnedInFiles>() {
            return Exit::Config;
        }
        if cause.is::<LockError>() {
            return Exit::Locked;
        }
        if let Some(Stopped(signal)) = cause.downcast_ref() {
            return Exit::Stopped(*signal as i32);
        }
        if let Some(CommandError::Stopped { signal, .. }) = cause.downcast_ref() {
            return Exit::Stopped(*signal as i32);
        }
    }
    Exit::Failed
}

/// For the connection tasks to hear the last answer and write their last packet: a dropped session still closes its statements. A node
/// that is frozen or gone has no more of our time.
const GOODBYE: Duration = Duration::from_millis(50);
const GOODBYE_STEP: Duration = Duration::from_millis(1);

/// The one runtime: everything waits on I/O, nothing needs a second thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let result = runtime.block_on(async {
        let result = work.await;
        // Sessions that were just dropped say goodbye now: a server logs a line about each client that only goes.
        let began = Instant::now();
        while Handle::current().metrics().num_alive_tasks() > 0 && began.elapsed() < GOODBYE {
            tokio::time::sleep(GOODBYE_STEP).await;
        }
        result
    });
    // A name look-up may still hang in its thread; nobody waits for it.
    runtime.shutdown_background();
    result
}
