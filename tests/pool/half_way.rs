//! Clients that have come half way in when pgpool fails over.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::RecvTimeoutError;
use std::thread::sleep;
use std::time::Duration;

use crate::belief::{ALL_UP, SERVER, wait_for, wait_writable};
use crate::build::{Cluster, POOL};
use crate::session::Session;

const CLIENTS: usize = 10;
/// For all of them to fall asleep. They sleep for a second at a time.
const WHILE: Duration = Duration::from_millis(1500);
/// What libpq sends first, a request for TLS; and pgpool's yes.
const REQUEST: usize = 8;
const YES: usize = 1;

/// A child that looks for its client's backend while pgpool fails over sleeps for a second at a time with all signals blocked. Not of
/// pgpool's first node: then pgpool ends all its children itself. The failover lasts because one of the two standbys is paused.
#[test]
fn a_client_that_meets_a_failover_half_way_in_is_sent_back() {
    let cluster = Cluster::nodes("pool-halfway", 3).pgpool().env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.kill("pg01");
    wait_writable(&cluster, "pg01 was killed", SERVER);
    cluster.start("pg01");
    wait_for(&cluster, "pg01 was started", SERVER, "pg01 up standby, pg02 up primary, pg03 up standby");
    let pool = cluster.address(POOL);
    let clients: Vec<HalfWay> = (0..CLIENTS).map(|_| HalfWay::at(&pool)).collect();
    cluster.pause("pg03");
    cluster.kill("pg02");
    cluster.wait_for_log(POOL, "=== Starting degeneration. shutdown host pg02", SERVER);
    let clients: Vec<Session> = clients.into_iter().map(HalfWay::go_on).collect();
    sleep(WHILE);
    cluster.unpause("pg03");
    wait_writable(&cluster, "pg03 goes on", SERVER);
    let ends: Vec<_> = clients.iter().map(|client| client.hear(SERVER)).collect();
    let log = cluster.logs(POOL);
    let sent_back = log.lines().filter(|line| line.contains("it met the failover with a client that had no session yet")).count();
    eprintln!("{sent_back} of {CLIENTS} were sent back: {ends:?}");
    assert!(!ends.contains(&Err(RecvTimeoutError::Timeout)), "a client hangs: {ends:?}");
    assert!(sent_back > 0, "{log}");
}

/// A client behind a door that has let its request for TLS pass: one of pgpool's children waits for what it says next.
struct HalfWay {
    client: Session,
    outside: TcpStream,
    inside: TcpStream,
}

impl HalfWay {
    fn at(pool: &str) -> HalfWay {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = door.local_addr().unwrap().port().to_string();
        let client = Session::open("127.0.0.1", &port, &["-d", "dbname=phoenix connect_timeout=60", "-c", "SELECT 'served'"]);
        let (mut outside, _) = door.accept().unwrap();
        let mut inside = TcpStream::connect((pool, 9999)).unwrap();
        pass(&mut outside, &mut inside, REQUEST);
        pass(&mut inside, &mut outside, YES);
        HalfWay { client, outside, inside }
    }

    /// Each end learns of the other's.
    fn go_on(self) -> Session {
        let all = |mut from: TcpStream, mut to: TcpStream| {
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
            })
        };
        all(self.outside.try_clone().unwrap(), self.inside.try_clone().unwrap());
        all(self.inside, self.outside);
        self.client
    }
}

fn pass(from: &mut TcpStream, to: &mut TcpStream, bytes: usize) {
    let mut buffer = vec![0; bytes];
    from.read_exact(&mut buffer).unwrap();
    to.write_all(&buffer).unwrap();
}
