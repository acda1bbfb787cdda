//! A child process to run: what, with which environment, for how long at most, and what of it may be shown.
//!
//! Never a shell, never our environment (it holds secrets), never without a deadline. How it runs and ends is `running`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use super::capture::OnLine;
use super::running::Running;
use super::signal::StopSignals;

/// Deadline of a command that did not ask for another.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const MASK: &str = "********";

/// Builder of a child process.
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) cwd: Option<PathBuf>,
    pub(crate) stdin: Option<Vec<u8>>,
    pub(crate) timeout: Duration,
    pub(crate) on_line: Option<OnLine>,
    secrets: Vec<String>,
}

impl Command {
    /// A program, searched in PATH unless it has a slash.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout: DEFAULT_TIMEOUT,
            on_line: None,
            secrets: Vec::new(),
        }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Adds an argument that is masked wherever the command line or its errors are shown. `/proc` shows it all the same: prefer stdin
    /// or a file.
    pub fn secret_arg(mut self, arg: impl Into<String>) -> Self {
        let arg = arg.into();
        self.args.push(OsString::from(&arg));
        self.secrets.push(arg);
        self
    }

    /// Adds a variable. Children get nothing else but PATH, LANG, TZ and HOME.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Adds a variable whose value is masked should the child print it in an error.
    pub fn secret_env(mut self, name: impl AsRef<OsStr>, value: impl Into<String>) -> Self {
        let value = value.into();
        self.secrets.push(value.clone());
        self.env(name, value)
    }

    /// Working directory; ours otherwise.
    pub fn cwd(mut self, directory: impl Into<PathBuf>) -> Self {
        self.cwd = Some(directory.into());
        self
    }

    /// What the child reads; `/dev/null` otherwise.
    pub fn stdin_bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// Deadline; one minute otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Shows each line of stdout and stderr as it comes; progress that is rewritten with `\r` counts as lines.
    pub fn on_line(mut self, hear: impl FnMut(&str) + Send + 'static) -> Self {
        self.on_line = Some(Box::new(hear));
        self
    }

    /// Runs it to its end. Returns only when the child is reaped; dropping the future kills it.
    pub async fn run(self, stop: &StopSignals) -> Result<Output, CommandError> {
        let timeout = self.timeout;
        if let Some(signal) = stop.look() {
            return Err(CommandError::Stopped { command: self.shown().command, signal });
        }
        self.start()?.finish(stop, timeout).await
    }

    /// Starts it for a caller who goes on meanwhile (the temporary server).
    pub fn start(self) -> Result<Running, CommandError> {
        Running::start(self)
    }

    pub(crate) fn shown(&self) -> Shown {
        let secrets: Vec<_> = self.secrets.iter().filter(|secret| !secret.is_empty()).cloned().collect();
        let words = std::iter::once(&self.program).chain(&self.args).map(|word| shell_word(&word.to_string_lossy(), &secrets));
        Shown { command: words.collect::<Vec<_>>().join(" "), secrets }
    }
}

/// A command as people may see it.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) command: String,
    secrets: Vec<String>,
}

impl Shown {
    pub(crate) fn mask(&self, text: &str) -> String {
        mask(text, &self.secrets)
    }
}

fn mask(text: &str, secrets: &[String]) -> String {
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
}

/// Masked, and quoted so that it can be pasted.
fn shell_word(word: &str, secrets: &[String]) -> String {
    let word = mask(word, secrets);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// What a child that ended well had said.
#[derive(Debug, Default)]
pub struct Output {
    /// The last 1000 lines of stdout, without empty ones.
    pub stdout: Vec<String>,
    /// The last 1000 lines of stderr, without empty ones.
    pub stderr: Vec<String>,
}

/// Why there is no output. Texts are safe to show: secrets are masked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// It could not be started, or waited for.
    #[error("run {command}: {source}")]
    Start {
        /// The command line.
        command: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// It ended with another code than 0, or by a signal.
    #[error("run {command}: {ending}{}", indented(.stderr))]
    Failed {
        /// The command line.
        command: String,
        /// `exit code 1` or `killed by SIGSEGV`.
        ending: String,
        /// The exit code, unless a signal ended it.
        code: Option<i32>,
        /// The last lines of stderr.
        stderr: Vec<String>,
    },
    /// It took too long, and is gone now.
    #[error("run {command}: not done after {limit:?}{}", indented(.stderr))]
    TimedOut {
        /// The command line.
        command: String,
        /// Its deadline.
        limit: Duration,
        /// The last lines of stderr.
        stderr: Vec<String>,
    },
    /// We were asked to stop; it is gone now.
    #[error("run {command}: stopped by {signal}")]
    Stopped {
        /// The command line.
        command: String,
        /// What we were asked with.
        signal: nix::sys::signal::Signal,
    },
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  | {line}")).collect()
}
