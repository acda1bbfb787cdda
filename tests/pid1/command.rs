//! Children: what they get, what is said of them, and that nothing of them stays.

use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgcluster::act::command::{Command, CommandError, Output};
use pgcluster::act::signal::StopSignals;

use crate::Test;
use crate::hand_over::{STANDARD, inherited_descriptors, mask, play, text};
use crate::play::async_main;

pub const TESTS: &[Test] = &[
    ("child_starts_clean", child_starts_clean),
    ("stop_ends_a_deaf_child_within_two_seconds", stop_ends_a_deaf_child_within_two_seconds),
    ("deadline_ends_a_child_and_says_so", deadline_ends_a_child_and_says_so),
    ("failure_shows_code_and_last_words_without_secrets", failure_shows_code_and_last_words_without_secrets),
    ("input_output_and_progress_pass", input_output_and_progress_pass),
    ("dropped_command_is_killed_with_its_group", dropped_command_is_killed_with_its_group),
    ("grandchildren_do_not_survive_a_command", grandchildren_do_not_survive_a_command),
    ("child_dies_with_us", child_dies_with_us),
    ("background_child_is_stopped_cleanly", background_child_is_stopped_cleanly),
];

fn run(command: Command) -> Result<Output, CommandError> {
    let stop = StopSignals::block().unwrap();
    let mut result = None;
    async_main(async { result = Some(command.run(&stop).await) });
    pgcluster::act::signal::restore_for_user_command().unwrap();
    result.unwrap()
}

fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

/// Whether a process whose command line contains `mark` lives; `mark` must not be in our own.
fn is_alive(mark: &str) -> bool {
    let pids = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path().join("cmdline"));
    pids.filter_map(|path| std::fs::read_to_string(path).ok()).any(|line| line.replace('\0', " ").contains(mark))
}

fn is_gone_soon(mark: &str) -> bool {
    (0..40).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        !is_alive(mark)
    })
}

fn child_starts_clean() {
    let status = run(Command::new("cat").args(["/proc/self/status"])).unwrap().stdout.join("\n");
    assert_eq!((mask(&status, "SigBlk:"), mask(&status, "SigIgn:") & STANDARD), (0, 0));
    let descriptors = run(Command::new("ls").args(["/proc/self/fd"])).unwrap().stdout.join("\n");
    assert_eq!(descriptors, inherited_descriptors().trim_end());
    let variables = run(Command::new("env").env("GIVEN", "1")).unwrap().stdout;
    let mut names: Vec<_> = variables.iter().filter_map(|line| Some(line.split_once('=')?.0)).collect();
    names.retain(|name| !["LANG", "TZ"].contains(name));
    names.sort();
    assert_eq!(names, ["GIVEN", "HOME", "PATH"]);
    let ids = run(sh("ps -o pid=,pgid= $$")).unwrap().stdout;
    let ids: Vec<_> = ids[0].split_whitespace().collect();
    assert_eq!(ids[0], ids[1], "leader of its own group");
}

fn stop_ends_a_deaf_child_within_two_seconds() {
    let mut child =
        play("run", &["sh", "-c", "trap '' INT; while :; do sleep 7.125; done"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "ready");
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_alive("sleep 7.125"));
    let start = Instant::now();
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
    let said = lines.next().unwrap();
    assert!(said.contains("stopped by SIGTERM / Err(ECHILD)"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(2) && start.elapsed() > Duration::from_secs(1), "{:?}", start.elapsed());
    child.wait().unwrap();
    assert!(is_gone_soon("sleep 7.125"));
}

fn deadline_ends_a_child_and_says_so() {
    let start = Instant::now();
    let err = run(sh("echo almost >&2; exec sleep 9").timeout(Duration::from_millis(200))).unwrap_err();
    assert_eq!(err.to_string(), "run sh -c 'echo almost >&2; exec sleep 9': not done after 200ms\n  | almost");
    assert!(start.elapsed() < Duration::from_secs(1), "SIGINT must have been enough");
}

fn failure_shows_code_and_last_words_without_secrets() {
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo line $i of $0 >&2; done; exit 3";
    let err = run(Command::new("sh").args(["-c", script]).secret_arg("hunter2")).unwrap_err();
    let said = err.to_string();
    assert!(!said.contains("hunter2") && !said.contains("line 1 "), "{said}");
    assert!(said.contains("'********': exit code 3\n  | line 2 of ********\n"), "{said}");
    assert!(matches!(err, CommandError::Failed { code: Some(3), .. }));
    let err = run(sh("kill -SEGV $$")).unwrap_err().to_string();
    assert!(err.ends_with("killed by SIGSEGV"), "{err}");
    let err = run(Command::new("/no/such/program")).unwrap_err().to_string();
    assert_eq!(err, "run /no/such/program: No such file or directory (os error 2)");
}

fn input_output_and_progress_pass() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hear = seen.clone();
    let command = sh(r"wc -c; printf ' 10%%\r 20%%\r\n' >&2").stdin_bytes(vec![b'x'; 300_000]);
    let out = run(command.on_line(move |line| hear.lock().unwrap().push(line.to_owned()))).unwrap();
    assert_eq!(out.stdout, ["300000"]);
    assert_eq!(out.stderr, [" 10%", " 20%"]);
    assert_eq!(seen.lock().unwrap().len(), 3);
    assert!(run(sh("exit 0").stdin_bytes(vec![b'x'; 300_000])).is_ok(), "a child need not read its input");
    let out = run(sh("seq 5000")).unwrap().stdout;
    assert_eq!((out.len(), out[999].as_str()), (1000, "5000"));
}

fn dropped_command_is_killed_with_its_group() {
    async_main(async {
        let stop = StopSignals::block().unwrap();
        let command = sh("sleep 8.25 & wait").run(&stop);
        tokio::time::timeout(Duration::from_millis(300), command).await.unwrap_err();
        assert!(is_gone_soon("sleep 8.25"));
        // tokio reaps in the background.
        tokio::time::sleep(Duration::from_millis(100)).await;
    });
    pgcluster::act::signal::restore_for_user_command().unwrap();
}

fn grandchildren_do_not_survive_a_command() {
    let start = Instant::now();
    assert_eq!(run(sh("sleep 9.75 & echo done")).unwrap().stdout, ["done"]);
    assert!(start.elapsed() < Duration::from_secs(1), "a grandchild that holds our pipe must not hold us");
    assert!(is_gone_soon("sleep 9.75"));
}

fn child_dies_with_us() {
    let mut child = play("run", &["sleep", "6.875"]).stdout(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(300));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_gone_soon("sleep 6.875"));
}

fn background_child_is_stopped_cleanly() {
    async_main(async {
        let mut server = sh("trap 'echo bye; exit 0' INT; echo up; while :; do sleep 0.05; done").start().unwrap();
        assert!(server.pid().is_some());
        assert!(tokio::time::timeout(Duration::from_millis(300), server.ended()).await.is_err());
        assert_eq!(server.stop(Signal::SIGINT, Duration::from_secs(2)).await.unwrap().stdout, ["up", "bye"]);
        let mut dead = sh("echo no >&2; exit 4").start().unwrap();
        assert_eq!(dead.ended().await.unwrap().code(), Some(4));
        assert_eq!(dead.pid(), None);
        let err = dead.stop(Signal::SIGINT, Duration::from_secs(2)).await.unwrap_err().to_string();
        assert!(err.ends_with("exit code 4\n  | no"), "{err}");
    });
    // As PID 1: what a killed group leaves is adopted by us and reaped.
    let me = std::env::current_exe().unwrap();
    let mut pid_1 = std::process::Command::new("unshare");
    pid_1.args(["--pid", "--fork", "--mount-proc"]).arg(me).args(["--play", "run", "sh", "-c", "sleep 9 & echo done"]);
    let said = text(&pid_1.output().unwrap());
    assert!(said.contains("done / Err(ECHILD)") || said.contains("unshare"), "{said}");
}
