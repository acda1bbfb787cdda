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
