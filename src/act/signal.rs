//! Stop signals, seen as events and never lost.
//!
//! TERM, INT, QUIT and HUP are blocked from the first line of `main` on and read through a signalfd. A process that is PID 1 has no
//! default actions: the kernel drops an unblocked TERM or INT without a handler, but it queues a blocked one, and the queue survives
//! `execve` (measured, `reliability.md` M4). So a stop that arrives after our last look is obeyed by the server we exec, because
//! postgres and pgpool unblock the signals once their handlers stand. This module must never unblock them in our own process, except
//! for an arbitrary user's program.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::signal::{SigHandler, SigSet, Signal, kill, signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::{OnceCell, watch};

const BLOCKED: [Signal; 4] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP];
/// How often we look when the descriptor cannot be registered with the runtime.
const POLL: Duration = Duration::from_millis(100);

/// The stop signals of this process; clones share what was seen.
#[derive(Clone, Debug)]
pub struct StopSignals(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    fd: Arc<SignalFd>,
    registered: OnceCell<AsyncFd<Arc<SignalFd>>>,
    seen: watch::Sender<Option<Signal>>,
}

impl StopSignals {
    /// Blocks the stop signals and opens the signalfd. Call it first in `main`: threads inherit the mask they are born with, and a
    /// thread born earlier would swallow the signals.
    pub fn block() -> Result<Self> {
        let set = blocked_set();
        set.thread_block().context("block the stop signals")?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK).context("open a signalfd")?;
        Ok(Self(Arc::new(Inner { fd: Arc::new(fd), registered: OnceCell::new(), seen: watch::Sender::new(None) })))
    }

    /// Resolves at the first stop signal, and at once when one was seen before. Cancel-safe. HUP is logged and forgotten.
    pub async fn stopped(&self) -> Signal {
        let mut seen = self.0.seen.subscribe();
        loop {
            if let Some(signal) = self.look() {
                return signal;
            }
            // A signal is read once: when another waiter reads it, only `seen` tells us.
            tokio::select! {
                _ = seen.changed() => {}
                () = self.readable() => {}
            }
        }
    }

    /// The stop signal seen so far, looking once more without waiting.
    pub fn look(&self) -> Option<Signal> {
        while self.0.seen.borrow().is_none() {
            let Ok(Some(info)) = self.0.fd.read_signal() else { break };
            match Signal::try_from(info.ssi_signo.cast_signed()) {
                Ok(Signal::SIGHUP) => tracing::info!("ignore SIGHUP: the configuration is rebuilt at each start"),
                Ok(signal) => drop(self.0.seen.send_replace(Some(signal))),
                Err(_) => {}
            }
        }
        *self.0.seen.borrow()
    }

    /// Sends a stop signal that we have already read to ourselves again, so that it is pending for the program we exec.
    pub fn hand_on(&self) -> Result<()> {
        let Some(signal) = self.look() else { return Ok(()) };
        kill(Pid::this(), signal).with_context(|| format!("hand {signal} on"))
    }

    async fn readable(&self) {
        let ready = match self.0.registered.get_or_try_init(|| async { register(self.0.fd.clone()) }).await {
            // Cleared before look() reads, so that a signal which comes after that read makes a new edge.
            Ok(fd) => fd.readable().await.map(|mut guard| guard.clear_ready()),
            Err(err) => Err(err),
        };
        if ready.is_err() {
            tokio::time::sleep(POLL).await;
        }
    }
}

#[allow(unsafe_code)]
fn register(fd: Arc<SignalFd>) -> std::io::Result<AsyncFd<Arc<SignalFd>>> {
    // SAFETY: the Arc keeps the descriptor open and the same for as long as the AsyncFd lives.
    Ok(unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?)
}

/// Clears the signal mask, for the exec of a user's own program, which does not know that it has to unblock anything.
pub fn restore_for_user_command() -> Result<()> {
    SigSet::empty().thread_set_mask().context("clear the signal mask")
}

/// Blocks the stop signals (again); harmless when they are blocked.
pub(crate) fn keep_blocked() -> Result<()> {
    blocked_set().thread_block().context("block the stop signals")
}

/// Gives every signal its default action. Async-signal-safe: also called between fork and exec.
///
/// Rust ignores SIGPIPE and a parent may have ignored others (nohup: HUP); ignored dispositions survive `execve`, and an ignored
/// SIGCHLD would let postgres lose the exit codes of its children.
#[allow(unsafe_code)]
pub(crate) fn default_dispositions() -> Result<(), Errno> {
    for each in Signal::iterator().filter(|each| !matches!(each, Signal::SIGKILL | Signal::SIGSTOP)) {
        // SAFETY: installs no handler, only SIG_DFL; handlers of ours that go are tokio's, unused from here to exec.
        unsafe { signal(each, SigHandler::SigDfl) }?;
    }
    Ok(())
}

fn blocked_set() -> SigSet {
    SigSet::from_iter(BLOCKED)
}
