//! The waiting room when the process is out of descriptors.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Instant;

use crate::Test;
use crate::hand_over::play;

pub const TESTS: &[Test] = &[("waiting_room_without_descriptors_waits_quietly", waiting_room_without_descriptors_waits_quietly)];

fn waiting_room_without_descriptors_waits_quietly() {
    let mut child = play("crowded-room", &[]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let port: u16 = lines.next().unwrap().parse().unwrap();
    let start = Instant::now();
    let mut guest = TcpStream::connect(("127.0.0.1", port)).unwrap();
    guest.write_all(&[0, 0, 0, 9, 0, 3, 0, 0, 0]).unwrap();
    let mut answer = Vec::new();
    guest.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"E"), "answered once there was a descriptor");
    assert!(start.elapsed().as_millis() > 900, "the test had descriptors all the time");
    let used_ms: u64 = lines.next().unwrap().parse().unwrap();
    assert!(used_ms < 200, "a busy loop: {used_ms} ms of processor time in one second");
    child.wait().unwrap();
}
