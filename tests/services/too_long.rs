//! A password that pgpool cannot hold is refused before anything is made.

use crate::cluster::{common, long};
use crate::docker::Scope;
use crate::docker::container::Run;

#[test]
fn a_password_of_125_bytes_is_refused_before_anything_starts() {
    let scope = Scope::new("too-long");
    let secret = long('w', 125);
    let volume = scope.volume("data");
    for (image, name) in [("postgres", "pg01"), ("pgpool", "pgpool01")] {
        let run = common(Run::new(&scope, name, image)).volume(format!("{volume}:/u01/pg17")).env("NODE_NAME", "pg01");
        let lists = format!("[\"fine\",\"{secret}\",\"fine\"]");
        let refusal = run.env("MSUSERPWDLIST", &lists).env("REPMGRPWD", &secret).refusal();
        assert_eq!(refusal.code, 78);
        refusal.says(&[
            "MSUSERPWDLIST: password 2: longer than pgpool's pool_passwd can hold",
            "REPMGRPWD: longer than",
            "hint: use at most 79 bytes",
        ]);
        assert!(!refusal.said.contains(&secret[..20]), "{}", refusal.said);
    }
    let left =
        Run::new(&scope, "look", "postgres").volume(format!("{volume}:/u01/pg17")).args(&["ls", "-A", "/u01/pg17"]).output();
    assert_eq!(String::from_utf8_lossy(&left.stdout), "", "the volume is as empty as it was");
}
