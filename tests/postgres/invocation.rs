//! What stands after the image's name.

use std::process::Output;

use crate::docker::Scope;
use crate::docker::container::Run;

fn run(scope: &Scope, args: &[&str]) -> (String, i32) {
    let Output { status, stdout, stderr } = Run::new(scope, "run", "postgres").args(args).output();
    let text = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (text.trim().to_string(), status.code().expect("an exit code"))
}

#[test]
fn questions_and_other_programs_run_as_they_are() {
    let scope = Scope::new("run");
    let (text, code) = run(&scope, &["postgres", "--version"]);
    assert!(text.starts_with("postgres (PostgreSQL) ") && code == 0, "{text}");
    let (text, code) = run(&scope, &["psql", "--version"]);
    assert!(text.starts_with("psql (PostgreSQL) ") && code == 0, "{text}");
    let (text, code) = run(&scope, &["--help"]);
    assert!(text.starts_with("postgres is the PostgreSQL server.") && code == 0, "{text}");
    // Its own signals, its own exit code, the whole environment.
    let (text, code) = run(&scope, &["bash", "-c", "id -un; echo $PGDATA; ls -A $(dirname $PGDATA); exit 3"]);
    assert_eq!((text.as_str(), code), ("postgres\n/u01/pg17/data", 3));
    let (text, code) = run(&scope, &["no-such-program"]);
    assert!(text.contains("no-such-program") && code != 0, "{text}");
}
