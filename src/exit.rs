//! Exit codes, documented and stable.

use std::process::ExitCode;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; `status`: healthy.
    Ok,
    /// It did not work; `status`: degraded; `health`: not serving.
    Failed,
    /// `status`: no writable primary; also clap's code for a wrong command line.
    Broken,
    /// The plan was shown and not carried out: `--yes` was not said.
    Unconfirmed,
    /// The volume is held by another container (EX_TEMPFAIL).
    Locked,
    /// The environment is not valid (EX_CONFIG).
    Config,
    /// Ended by a stop signal before there was a server: 128 + the signal, as a shell says it.
    Stopped(i32),
}

/// What each code says, for `explain` and the documents.
pub const CODES: [(&str, &str); 7] = [
    ("0", "Done. `status`: healthy. `doctor`: no warning, no error. `health`: serving, or preparing to."),
    ("1", "It did not work. `status`: degraded. `doctor`: a warning or an error was found. `health`: not serving."),
    ("2", "`status`: no writable primary. Also: the command line is wrong."),
    ("3", "The plan was shown and nothing was done: `--yes` was not said."),
    ("75", "The volume is held by another container."),
    ("78", "The environment, or a file in `conf.d`, is not valid; every violation is printed."),
    ("128 + n", "A stop signal came before there was a server."),
];

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Ok => 0,
            Exit::Failed => 1,
            Exit::Broken => 2,
            Exit::Unconfirmed => 3,
            Exit::Locked => 75,
            Exit::Config => 78,
            Exit::Stopped(signal) => 128 + signal as u8,
        })
    }
}
