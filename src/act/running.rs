//! A child process while it runs, and its end, which always comes: nothing of it is left when we return.
//!
//! Must never leave a zombie or a grandchild behind: after exec they would be postgres's (`reliability.md` §3.2).

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::capture::{OnLine, Tail, read_lines, with};
use super::command::{Command, CommandError, Output, Shown};
use super::group::Group;
use super::signal::StopSignals;
use super::spawn::spawn;

/// From SIGINT to SIGKILL when we are stopped or the deadline is over.
const INTERRUPT_PATIENCE: Duration = Duration::from_millis(1500);
/// For the kernel to deliver a SIGKILL; longer means a process in uninterruptible sleep, which nobody can wait for.
const KILL_PATIENCE: Duration = Duration::from_secs(5);
/// For the last bytes in the pipes, after everybody who could write is dead.
const DRAIN_PATIENCE: Duration = Duration::from_millis(250);
const KEPT_LINES: usize = 1000;
const SHOWN_LINES: usize = 8;

/// A started child. Dropping it kills its whole group.
pub struct Running {
    // First field, first dropped: the group is killed before tokio lets go of the child.
    group: Group,
    child: Child,
    readers: JoinSet<()>,
    stdout: Arc<Mutex<Tail>>,
    stderr: Arc<Mutex<Tail>>,
    shown: Shown,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Result<Self, CommandError> {
        let shown = command.shown();
        let mut child = match spawn(&command) {
            Ok(child) => child,
            Err(source) => return Err(CommandError::Start { command: shown.command, source }),
        };
        let group = Group::led_by(child.id());
        let [stdout, stderr] = [(); 2].map(|()| Arc::new(Mutex::new(Tail::new(KEPT_LINES))));
        let hear: Arc<Mutex<OnLine>> = Arc::new(Mutex::new(command.on_line.take().unwrap_or_else(|| Box::new(|_| ()))));
        let mut readers = JoinSet::new();
        if let Some(pipe) = child.stdout.take() {
            let (tail, hear) = (stdout.clone(), hear.clone());
            readers.spawn(async move { read_lines(pipe, |line| keep(&tail, &hear, line)).await });
        }
        if let Some(pipe) = child.stderr.take() {
            let (tail, hear) = (stderr.clone(), hear);
            readers.spawn(async move { read_lines(pipe, |line| keep(&tail, &hear, line)).await });
        }
        if let (Some(pipe), Some(bytes)) = (child.stdin.take(), command.stdin.take()) {
            readers.spawn(feed(pipe, bytes));
        }
        Ok(Self { group, child, readers, stdout, stderr, shown })
    }

    /// Process id; `None` once it has been reaped.
    pub fn pid(&self) -> Option<Pid> {
        self.group.id()
    }

    /// Resolves when it has ended by itself. Cancel-safe. What it said comes with `stop` or `finish`.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        // Now, because its number may soon be another's.
        self.group.sweep();
        self.group.reap_adopted().await;
        status
    }

    /// Waits for its end, our stop signal or the deadline, whichever comes first.
    pub async fn finish(mut self, stop: &StopSignals, limit: Duration) -> Result<Output, CommandError> {
        let stopped_by = tokio::select! {
            status = self.child.wait() => return self.result(status).await,
            signal = stop.stopped() => Some(signal),
            () = sleep(limit) => None,
        };
        let _ = self.interrupt(Signal::SIGINT, INTERRUPT_PATIENCE).await;
        self.settle().await;
        let (command, stderr) = (self.shown.command.clone(), self.last_words());
        match stopped_by {
            Some(signal) => Err(CommandError::Stopped { command, signal }),
            None => Err(CommandError::TimedOut { command, limit, stderr }),
        }
    }

    /// Asks it to end with `signal`, SIGKILLs it when the patience is over. The result tells how it ended: a clean stop is `Ok`.
    pub async fn stop(mut self, signal: Signal, patience: Duration) -> Result<Output, CommandError> {
        let status = self.interrupt(signal, patience).await;
        self.result(status).await
    }

    async fn interrupt(&mut self, signal: Signal, patience: Duration) -> io::Result<ExitStatus> {
        self.group.send(signal);
        if let Ok(status) = timeout(patience, self.child.wait()).await {
            return status;
        }
        tracing::warn!("kill {}: it did not end within {patience:?} of {signal}", self.shown.command);
        self.group.send(Signal::SIGKILL);
        match timeout(KILL_PATIENCE, self.child.wait()).await {
            Ok(status) => status,
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it does not even obey SIGKILL (uninterruptible sleep: is its storage gone?)",
            )),
        }
    }

    async fn result(mut self, status: io::Result<ExitStatus>) -> Result<Output, CommandError> {
        self.settle().await;
        match status {
            Err(source) => Err(CommandError::Start { command: self.shown.command.clone(), source }),
            Ok(status) if status.success() => {
                Ok(Output { stdout: with(&self.stdout, Tail::take), stderr: with(&self.stderr, Tail::take) })
            }
            Ok(status) => {
                let (stderr, ending, code) = (self.last_words(), describe(status), status.code());
                Err(CommandError::Failed { command: self.shown.command.clone(), ending, code, stderr })
            }
        }
    }

    /// Ends what the child left of its group, reads the pipes to their end, reaps what we adopted.
    async fn settle(&mut self) {
        if self.child.id().is_none() {
            self.group.sweep();
        }
        let _ = timeout(DRAIN_PATIENCE, async { while self.readers.join_next().await.is_some() {} }).await;
        self.group.reap_adopted().await;
    }

    fn last_words(&self) -> Vec<String> {
        let mut lines = with(&self.stderr, Tail::take);
        let first = lines.len().saturating_sub(SHOWN_LINES);
        lines.drain(first..).map(|line| self.shown.mask(&line)).collect()
    }
}

fn keep(tail: &Arc<Mutex<Tail>>, hear: &Arc<Mutex<OnLine>>, line: &str) {
    with(tail, |tail| tail.push(line));
    with(hear, |hear| hear(line));
}

/// A child that does not read to the end says so by its exit code.
async fn feed(mut pipe: ChildStdin, bytes: Vec<u8>) {
    let _ = pipe.write_all(&bytes).await;
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal().map(Signal::try_from)) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(Ok(signal))) => format!("killed by {signal}"),
        (None, _) => status.to_string(),
    }
}
