//! From our last line to the server's first: masks, dispositions, pending signals, environment, leftovers.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Test;

pub const TESTS: &[Test] = &[
    ("exec_keeps_stop_signals_blocked_and_nothing_ignored", exec_keeps_stop_signals_blocked_and_nothing_ignored),
    ("exec_passes_only_allowed_variables", exec_passes_only_allowed_variables),
    ("exec_passes_no_descriptor_of_ours", exec_passes_no_descriptor_of_ours),
    ("signal_before_exec_reaches_the_server", signal_before_exec_reaches_the_server),
    ("signal_before_exec_reaches_the_server_as_pid_1", signal_before_exec_reaches_the_server_as_pid_1),
    ("postgres_obeys_a_stop_sent_before_exec", postgres_obeys_a_stop_sent_before_exec),
    ("exec_reaps_zombies_and_refuses_living_children", exec_reaps_zombies_and_refuses_living_children),
    ("all_waiters_hear_the_one_signal_and_hup_is_none", all_waiters_hear_the_one_signal_and_hup_is_none),
    ("user_command_gets_an_empty_mask", user_command_gets_an_empty_mask),
];

/// Signals 1 to 31. 32 and 33 are the C library's own, and whoever runs the tests may have passed them on ignored.
pub const STANDARD: u64 = 0x7fff_ffff;

pub fn play(part: &str, args: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--play", part]).args(args);
    command
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A mask of /proc/…/status; signal n is bit n-1.
pub fn mask(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {status}"));
    u64::from_str_radix(line.trim(), 16).unwrap()
}

fn bits(signals: &[Signal]) -> u64 {
    signals.iter().map(|signal| 1 << (*signal as u64 - 1)).sum()
}

fn exec_keeps_stop_signals_blocked_and_nothing_ignored() {
    // nohup: we are born with SIGHUP ignored.
    let me = std::env::current_exe().unwrap();
    let output =
        Command::new("nohup").arg(me).args(["--play", "exec", "cat", "/proc/self/status"]).stdin(Stdio::null()).output().unwrap();
    let status = text(&output);
    assert_eq!(mask(&status, "SigBlk:"), bits(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGHUP]));
    let ignored = mask(&status, "SigIgn:") & STANDARD;
    assert_eq!(ignored, 0, "SIGPIPE, SIGCHLD and SIGHUP must have their default action");
    assert_eq!(mask(&status, "SigCgt:"), 0);
}

fn exec_passes_only_allowed_variables() {
    let env = [
        ("REPMGRPWD", "geheim"),
        ("LD_PRELOAD", ""),
        ("LC_ALL", "C"),
        ("PGDATA", "/u01"),
        ("TZ", "UTC"),
        ("PGPASSWORD", "geheim"),
    ];
    let output = play("exec", &["/usr/bin/env"]).env_clear().envs(env).output().unwrap();
    let mut lines: Vec<_> = text(&output).lines().map(str::to_owned).collect();
    lines.sort();
    assert_eq!(lines[..2], ["LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
    assert_eq!(lines[2..], ["PGDATA=/u01", "TZ=UTC"]);
}

fn exec_passes_no_descriptor_of_ours() {
    let output = play("exec", &["ls", "/proc/self/fd"]).stdin(Stdio::null()).output().unwrap();
    assert_eq!(text(&output), inherited_descriptors());
}

/// What a child of this very test gets when none of ours is involved: whoever runs the tests may have left descriptors open.
pub fn inherited_descriptors() -> String {
    text(&Command::new("ls").arg("/proc/self/fd").stdin(Stdio::null()).output().unwrap())
}

fn signal_before_exec_reaches_the_server() {
    for how in ["before", "read"] {
        assert_eq!(text(&play("signal-then-exec", &[how]).output().unwrap()), "pid 2 got Some(SIGINT)\n", "{how}");
    }
}

fn signal_before_exec_reaches_the_server_as_pid_1() {
    let me = std::env::current_exe().unwrap();
    let unshare = |args: &[&str]| Command::new("unshare").args(["--pid", "--fork", "--mount-proc"]).args(args).output().unwrap();
    if !unshare(&["true"]).status.success() {
        return println!("  (no PID namespace allowed here: not tested)");
    }
    for how in ["before", "read"] {
        let output = unshare(&[me.to_str().unwrap(), "--play", "signal-then-exec", how]);
        assert_eq!(text(&output), "pid 1 got Some(SIGINT)\n", "{how}");
    }
}

/// The real server: it must start, see the signal that was there first, and end at once.
fn postgres_obeys_a_stop_sent_before_exec() {
    let Some(bin) =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|dir| dir.path().join("bin")).next()
    else {
        return println!("  (no PostgreSQL here: not tested)");
    };
    let dir = tempfile::tempdir().unwrap();
    let (data, binary) = (dir.path().join("data"), dir.path().join("pid1"));
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    let as_nobody = |command: &str| {
        let script = format!("umask 077; {command}");
        Command::new("setpriv").args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", &script]).output().unwrap()
    };
    std::os::unix::fs::chown(dir.path(), Some(65534), Some(65534)).unwrap();
    let (bin, data, binary) = (bin.display(), data.display(), binary.display());
    let made = as_nobody(&format!("{bin}/initdb -D {data} -U postgres -N >/dev/null"));
    assert!(made.status.success(), "{}", text(&made));
    let server = format!("{bin}/postgres -D {data} -c listen_addresses= -c unix_socket_directories={data}");
    let output = as_nobody(&format!("timeout 20 {binary} --play signal-then-postgres {server} 2>&1"));
    assert!(text(&output).contains("received fast shutdown request"), "{}", text(&output));
    assert!(output.status.success());
    let control = as_nobody(&format!("{bin}/pg_controldata -D {data} | grep state"));
    assert!(text(&control).trim_end().ends_with("shut down"), "{}", text(&control));
}

fn exec_reaps_zombies_and_refuses_living_children() {
    assert_eq!(text(&play("exec-with-zombie", &[]).output().unwrap()), "");
    let start = Instant::now();
    let said = text(&play("exec-with-child", &[]).output().unwrap());
    assert!(said.starts_with("refuse to hand over: process ") && said.contains("(sleep) is still a child of ours"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(4));
}

fn all_waiters_hear_the_one_signal_and_hup_is_none() {
    let mut child = play("two-waiters", &[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    for signal in [Signal::SIGHUP, Signal::SIGTERM] {
        kill(Pid::from_raw(child.id().cast_signed()), signal).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(lines.next().unwrap().unwrap(), "SIGTERM SIGTERM");
    assert_eq!(child.wait().unwrap().signal(), None);
}

fn user_command_gets_an_empty_mask() {
    assert_eq!(mask(&text(&play("user-command", &[]).output().unwrap()), "SigBlk:"), 0);
}
