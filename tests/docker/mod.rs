//! What every test with containers needs: run docker, wait with a deadline, and leave nothing behind.
//!
//! Everything that a test makes carries the label `pgcluster.test=<scope>`, and the scope's end removes it, panics included.
#![allow(dead_code, reason = "each test program uses its own part")]

pub mod container;
pub mod files;
pub mod psql;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub const LABEL: &str = "pgcluster.test";
/// For one call of docker: longer than any `docker stop` of a server takes.
const DEADLINE: Duration = Duration::from_secs(120);

/// The image of `postgres` or `pgpool` under test: with fault points, made by `make test`.
pub fn image(name: &str) -> String {
    format!("pgcluster/{name}:{}", std::env::var("PGCLUSTER_TEST_TAG").unwrap_or_else(|_| "test".into()))
}

/// Runs `docker args…` and returns its stdout without the last newline. Panics with its stderr when it fails.
#[track_caller]
pub fn docker(args: &[&str]) -> String {
    match try_docker(args) {
        Ok(text) => text,
        Err(stderr) => panic!("docker {}: {stderr}", args.join(" ")),
    }
}

/// The same, for commands that may fail: stdout, or stderr.
pub fn try_docker(args: &[&str]) -> Result<String, String> {
    let output = docker_output(args);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_string();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(format!("{} {}", text(&output.stderr), text(&output.stdout)).trim().to_string()),
    }
}

/// Whatever became of it: a client that has no answer in time is killed, and stderr says so.
pub fn docker_output(args: &[&str]) -> Output {
    docker_output_within(DEADLINE, args)
}

/// The same, for what may take longer.
pub fn docker_output_within(deadline: Duration, args: &[&str]) -> Output {
    // `timeout` ends the client and its plugins, which would hold our pipes.
    let seconds = deadline.as_secs().to_string();
    let began = Instant::now();
    let mut output = Command::new("timeout")
        .args(["--kill-after=5", &seconds, "docker"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("coreutils' timeout is installed");
    if !output.status.success() && began.elapsed() >= deadline {
        output.stderr.extend(format!("\ndocker {}: no answer within {deadline:?}", args.join(" ")).as_bytes());
    }
    output
}

/// Runs a shell script in a container as the server's own user, to whom every file there belongs. The patterns come in over stdin: grep
/// must not find its own arguments.
#[track_caller]
pub fn search_files(container: &str, script: &str, patterns: &str) -> String {
    let mut docker = Command::new("timeout")
        .args(["120", "docker", "exec", "-i", "-u", "50010", container, "timeout", "60", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("coreutils' timeout is installed");
    docker.stdin.take().expect("a pipe").write_all(patterns.as_bytes()).expect("grep reads its patterns");
    let output = docker.wait_with_output().expect("docker ends");
    assert!(output.status.success(), "search the files of {container}: {}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_string()
}

/// stdout and stderr of a container, interleaved as docker gives them.
pub fn logs(container: &str) -> String {
    let output = docker_output(&["logs", container]);
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Asks until there is an answer; panics with what was waited for when the deadline is over.
#[track_caller]
pub fn wait_until<T>(what: &str, deadline: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < deadline, "waited {deadline:?} for: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// `wait_until` for what is true or not yet.
#[track_caller]
pub fn eventually(what: &str, mut ask: impl FnMut() -> bool) {
    wait_until(what, container::START, || ask().then_some(()));
}

/// A name that no other test, thread or run uses now, and the owner of everything that carries it as its label.
pub struct Scope {
    pub name: String,
}

impl Scope {
    pub fn new(test: &str) -> Scope {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Scope { name: format!("pgct-{test}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)) }
    }

    /// `--label` argument for containers, networks and volumes of this scope.
    pub fn label(&self) -> String {
        format!("{LABEL}={}", self.name)
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        let filter = format!("label={}", self.label());
        for (list, remove) in [
            // Docker 20.10 never ends a paused container whose removal was ordered first.
            (vec!["ps", "-q", "--filter", &filter, "--filter", "status=paused"], vec!["unpause"]),
            (vec!["ps", "-aq", "--filter", &filter], vec!["rm", "-fv"]),
            (vec!["network", "ls", "-q", "--filter", &filter], vec!["network", "rm"]),
            (vec!["volume", "ls", "-q", "--filter", &filter], vec!["volume", "rm", "-f"]),
        ] {
            let found = try_docker(&list).unwrap_or_default();
            let ids: Vec<&str> = found.split_whitespace().collect();
            if !ids.is_empty() {
                let _ = try_docker(&[remove, ids].concat());
            }
        }
    }
}
