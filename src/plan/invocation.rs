//! What the arguments of the container ask for, with the official image's habits.

use std::ffi::{OsStr, OsString};

#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// Prepare the node and become the server with these arguments.
    Server(Vec<OsString>),
    /// Become this program at once, nothing prepared: `psql …`, `bash`, `postgres --version`.
    AsIs(OsString, Vec<OsString>),
}

/// `server` is the image's own program. Options alone are the server's; so is a repeated server name before them.
/// Source: docker-library/postgres, `_main` and `_pg_want_help`.
pub fn invocation(server: &str, args: Vec<OsString>) -> Invocation {
    let mut rest = args.into_iter().skip_while(|arg| arg == "--").peekable();
    let is_option = |arg: &OsStr| arg.to_string_lossy().starts_with('-');
    match rest.peek() {
        Some(first) if first == server => {
            rest.next();
        }
        Some(first) if !is_option(first) => {
            let program = rest.next().expect("peeked");
            return Invocation::AsIs(program, rest.collect());
        }
        Some(_) | None => {}
    }
    let args: Vec<OsString> = rest.collect();
    match args.iter().any(|arg| ["-?", "--help", "--describe-config", "-V", "--version", "-C"].iter().any(|ask| arg == ask)) {
        true => Invocation::AsIs(server.into(), args),
        false => Invocation::Server(args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Invocation {
        invocation("postgres", args.iter().map(OsString::from).collect())
    }

    fn os(args: &[&str]) -> Vec<OsString> {
        args.iter().map(OsString::from).collect()
    }

    #[test]
    fn options_are_the_servers() {
        assert_eq!(of(&[]), Invocation::Server(vec![]));
        assert_eq!(of(&["postgres"]), Invocation::Server(vec![]));
        assert_eq!(of(&["-c", "work_mem=8MB"]), Invocation::Server(os(&["-c", "work_mem=8MB"])));
        assert_eq!(of(&["postgres", "-c", "x=y"]), Invocation::Server(os(&["-c", "x=y"])));
        assert_eq!(of(&["--", "-c", "x=y"]), Invocation::Server(os(&["-c", "x=y"])));
    }

    #[test]
    fn questions_and_other_programs_run_as_they_are() {
        assert_eq!(of(&["postgres", "--version"]), Invocation::AsIs("postgres".into(), os(&["--version"])));
        assert_eq!(of(&["-C", "shared_buffers"]), Invocation::AsIs("postgres".into(), os(&["-C", "shared_buffers"])));
        assert_eq!(of(&["psql", "-c", "select 1"]), Invocation::AsIs("psql".into(), os(&["-c", "select 1"])));
        assert_eq!(of(&["bash"]), Invocation::AsIs("bash".into(), vec![]));
    }
}
