//! Two containers on one volume, one of them already the server.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Test;
use crate::hand_over::{play, text};

pub const TESTS: &[Test] = &[("lock_survives_exec_and_dies_with_the_server", lock_survives_exec_and_dies_with_the_server)];

fn lock_survives_exec_and_dies_with_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let volume = dir.path().to_str().unwrap();
    let mut server = play("lock-then-exec", &[volume, "sleep", "30"]).stdout(Stdio::null()).spawn().unwrap();
    let comm = format!("/proc/{}/comm", server.id());
    while std::fs::read_to_string(&comm).unwrap() != "sleep\n" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let start = Instant::now();
    let said = text(&play("lock-then-exec", &[volume, "echo", "mine"]).output().unwrap());
    assert!(said.contains("another container (") && said.contains("still holds it after 1s") && !said.contains("mine"), "{said}");
    assert!(start.elapsed() < Duration::from_secs(2));
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!(text(&play("lock-then-exec", &[volume, "echo", "mine"]).output().unwrap()), "mine\n");
}
