//! The tests' own promises: no call of docker hangs, and nothing is left of a test that failed.

use std::time::{Duration, Instant};

use crate::docker::container::Run;
use crate::docker::{LABEL, Scope, docker, docker_output_within};

fn sleeper(scope: &Scope, name: &str) -> String {
    let run = Run::new(scope, name, "postgres").option("--entrypoint", "sleep").option("--network", "none");
    run.flag("--no-healthcheck").args(&["600"]).start().name
}

#[test]
fn a_docker_that_does_not_answer_is_given_up() {
    let scope = Scope::new("hang");
    let container = sleeper(&scope, "sleeper");
    let began = Instant::now();
    let output = docker_output_within(Duration::from_secs(2), &["wait", &container]);
    assert!(!output.status.success());
    assert!(began.elapsed() < Duration::from_secs(30), "given up after {:.1?}", began.elapsed());
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(said.contains("no answer within 2s"), "{said}");
}

#[test]
fn a_test_that_fails_leaves_no_paused_container() {
    let name = std::thread::spawn(|| {
        let scope = Scope::new("fails");
        docker(&["pause", &sleeper(&scope, "paused")]);
        sleeper(&scope, "running");
        // No hook speaks: this panic is wanted.
        std::panic::resume_unwind(Box::new(scope.name.clone()));
    })
    .join()
    .expect_err("the thread panics");
    let filter = format!("label={LABEL}={}", name.downcast_ref::<String>().unwrap());
    assert_eq!(docker(&["ps", "-aq", "--filter", &filter]), "", "left behind");
}
