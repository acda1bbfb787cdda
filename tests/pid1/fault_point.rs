//! Dying on purpose: only in test builds, only where asked, and as PID 1 too.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use crate::Test;
use crate::hand_over::play;

pub const TESTS: &[Test] = &[("fault_point_dies_where_it_is_told_to", fault_point_dies_where_it_is_told_to)];

const KILLED: (Option<i32>, Option<i32>) = (None, Some(9));
const LIVED: (Option<i32>, Option<i32>) = (Some(0), None);

fn ending(status: ExitStatus) -> (Option<i32>, Option<i32>) {
    (status.code(), status.signal())
}

fn die_at(wish: &str) -> (Option<i32>, Option<i32>) {
    ending(play("fault-point", &[]).env("PGCLUSTER_DIE_AT", wish).status().unwrap())
}

fn fault_point_dies_where_it_is_told_to() {
    if !cfg!(feature = "fault-points") {
        return assert_eq!(die_at("after-rename"), LIVED, "a release must not be killable by its environment");
    }
    let dir = tempfile::tempdir().unwrap();
    let once = format!("after-rename@{}", dir.path().join("marker").display());
    assert_eq!(die_at("after-rename"), KILLED);
    assert_eq!(die_at("after-re"), LIVED);
    assert_eq!(die_at(""), LIVED);
    assert_eq!(die_at(&once.replace("rename", "else")), LIVED);
    assert_eq!(die_at(&once), KILLED);
    assert_eq!(die_at(&once), LIVED);
    let mut pid_1 = Command::new("unshare");
    pid_1.args(["--pid", "--fork", "--mount-proc"]).arg(std::env::current_exe().unwrap()).args(["--play", "fault-point"]);
    let status = pid_1.env("PGCLUSTER_DIE_AT", "after-rename").status().unwrap();
    // 1: no PID namespace allowed here.
    assert!([Some(137), Some(1)].contains(&status.code()), "{status}");
}
