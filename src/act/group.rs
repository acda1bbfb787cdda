//! The process group of a child: what reaches its grandchildren too.

use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// For the kernel to turn killed processes into zombies that can be reaped.
const REAP_POLL: Duration = Duration::from_millis(5);
const REAP_TRIES: usize = 40;

/// A group of ours; forgets its number once nothing of it is left to signal. Dropping it kills it.
pub(crate) struct Group(Option<Pid>);

impl Group {
    pub(crate) fn led_by(pid: Option<u32>) -> Self {
        Self(pid.map(|pid| Pid::from_raw(pid.cast_signed())))
    }

    pub(crate) fn id(&self) -> Option<Pid> {
        self.0
    }

    pub(crate) fn send(&self, signal: Signal) {
        if let Some(id) = self.0 {
            // ESRCH: already gone.
            let _ = killpg(id, signal);
        }
    }

    /// Kills the rest after its leader was reaped. The number cannot have been given to another group in this instant: the kernel hands
    /// pids out in a circle, and a number in use as a group is not handed out at all.
    pub(crate) fn sweep(&self) {
        self.send(Signal::SIGKILL);
    }

    /// As PID 1 the rest of the group has become our children: reaps them, and only them. What does not die in time is left to the
    /// hand-over, which refuses to go on with it.
    pub(crate) async fn reap_adopted(&mut self) {
        let Some(id) = self.0 else { return };
        let mut tries = 0;
        while let Ok(status) = waitpid(Pid::from_raw(-id.as_raw()), Some(WaitPidFlag::WNOHANG)) {
            if status == WaitStatus::StillAlive {
                tries += 1;
                if tries == REAP_TRIES {
                    break;
                }
                tokio::time::sleep(REAP_POLL).await;
            }
        }
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::SIGKILL);
    }
}
