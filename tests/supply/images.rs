//! The images: who runs there, and what an intruder would not find.

use crate::docker::Scope;
use crate::docker::container::Run;

/// Compilers, ways in, ways up, ways to fetch more. perl is PostgreSQL's and Debian's own.
const ABSENT: &str = "cc gcc g++ c++ clang tcc ld as make cmake rustc cargo go python3 gdb strace \
                      ssh sshd scp sftp ssh-agent dropbear telnet nc wget curl sudo doas gosu docker";

/// Says what is there of it. Package names too: a program may have another name.
const LOOK: &str = r"
    id -u; id -G
    for program in $0; do command -v $program; done
    dpkg-query -W -f '${Package}\n' | grep -E '^(gcc|g\+\+|clang|llvm|binutils|rustc|golang)(-[0-9]+)?$|openssh|^sudo' || :
    find / -xdev -type f -perm /6000 2>/dev/null || :
    find / -xdev \( -type f -o -type d \) -perm -0002 ! -perm -1000 2>/dev/null || :";

#[test]
fn images_hold_no_compiler_no_way_in_and_no_way_up() {
    let scope = Scope::new("images");
    for kind in ["postgres", "pgpool"] {
        let run = Run::new(&scope, kind, kind).unconfined().option("--network", "none").option("--entrypoint", "sh");
        let output = run.args(&["-c", LOOK, ABSENT]).output();
        let found = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = found.lines();
        assert_eq!(lines.next(), Some("50010"), "{kind}: the user");
        let groups = lines.next().unwrap_or_default();
        assert!(!groups.split(' ').any(|group| group == "0"), "{kind} is in root's group: {groups}");
        let rest: Vec<&str> = lines.collect();
        assert!(rest.is_empty(), "{kind} has: {rest:#?}");
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The search above finds something where there is something: Debian's own image has setuid programs.
#[test]
fn the_search_finds_what_is_there() {
    let scope = Scope::new("finds");
    let plant = "cp /bin/true /tmp/setuid; chmod 4755 /tmp/setuid; cp /bin/true /usr/local/bin/gcc; chmod 666 /usr/local/bin/gcc";
    let run = Run::new(&scope, "root", "postgres").unconfined().option("--user", "root").option("--entrypoint", "sh");
    let output = run.args(&["-c", &format!("{plant}; chmod +x /usr/local/bin/gcc; {LOOK}"), ABSENT]).output();
    let found = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in ["0", "/tmp/setuid", "/usr/local/bin/gcc"] {
        assert!(found.lines().any(|other| other == line), "no {line} in {found}");
    }
}
