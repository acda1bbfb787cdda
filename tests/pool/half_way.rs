//! Clients that have come half way in when pgpool fails over.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Barrier;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use crate::belief::{ALL_UP, SERVER, wait_for, wait_writable};
use crate::build::{Cluster, POOL};
use crate::session::Session;

/// They go on one after the other, from before the failover until after it.
const CLIENTS: u32 = 30;
const STEP: Duration = Duration::from_millis(40);
/// What libpq sends first, a request for TLS; and pgpool's yes.
const REQUEST: usize = 8;
const YES: usize = 1;

/// A child that looks for its client's backend while pgpool fails over sleeps for a second with all signals blocked, however short the
/// failover was. Not of pgpool's first node: then pgpool ends all its children itself.
#[test]
fn a_client_that_meets_a_failover_half_way_in_is_sent_back() {
    let cluster = Cluster::nodes("pool-halfway", 3).pgpool().env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.kill("pg01");
    wait_writable(&cluster, "pg01 was killed", SERVER);
    cluster.start("pg01");
    wait_for(&cluster, "pg01 was started", SERVER, "pg01 up standby, pg02 up primary, pg03 up standby");
    let pool = cluster.inspect(POOL, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}");
    let all_wait = Barrier::new(CLIENTS as usize + 1);
    let all_wait = &all_wait;
    let ends: Vec<_> = scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|number| (number, pool.clone())).collect();
        let clients: Vec<_> =
            clients.into_iter().map(|(number, pool)| scope.spawn(move || goes_on_at(&pool, all_wait, STEP * number))).collect();
        all_wait.wait();
        cluster.kill("pg02");
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    wait_writable(&cluster, "pg02 was killed", SERVER);
    ends.iter().zip(0..).for_each(|(end, number)| eprintln!("client {number}, after {:?}: {end}", STEP * number));
    assert!(!ends.iter().any(|end| end == "hangs"), "a client hangs");
    let log = cluster.logs(POOL);
    let sent_back = log.lines().filter(|line| line.contains("it met the failover with a client that had no session yet")).count();
    eprintln!("{sent_back} were sent back");
    assert!(sent_back > 0, "{log}");
}

/// One client, behind a door that lets its request for TLS pass, and the rest at that time after all wait there. How it ended.
fn goes_on_at(pool: &str, all_wait: &Barrier, when: Duration) -> String {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = door.local_addr().unwrap().port().to_string();
    let client = Session::open("127.0.0.1", &port, &["-c", "SELECT 'served'"]);
    let (mut outside, _) = door.accept().unwrap();
    let mut inside = TcpStream::connect((pool, 9999)).unwrap();
    pass(&mut outside, &mut inside, REQUEST);
    pass(&mut inside, &mut outside, YES);
    all_wait.wait();
    sleep(when);
    let began = Instant::now();
    let (mut back_inside, mut back_outside) = (inside.try_clone().unwrap(), outside.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut outside, &mut inside);
        let _ = inside.shutdown(std::net::Shutdown::Both);
    });
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut back_inside, &mut back_outside);
        let _ = back_outside.shutdown(std::net::Shutdown::Both);
    });
    match client.hear(SERVER) {
        Ok(answer) => format!("{answer} after {:?}", began.elapsed()),
        Err(RecvTimeoutError::Disconnected) => format!("sent back after {:?}", began.elapsed()),
        Err(RecvTimeoutError::Timeout) => "hangs".into(),
    }
}

fn pass(from: &mut TcpStream, to: &mut TcpStream, bytes: usize) {
    let mut buffer = vec![0; bytes];
    from.read_exact(&mut buffer).unwrap();
    to.write_all(&buffer).unwrap();
}
