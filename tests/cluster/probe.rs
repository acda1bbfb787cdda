//! A client that writes all the time: one row after another through pgpool, remembering which of them the server acknowledged.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::build::{Cluster, OWNER_PASSWORD, POOL};
use crate::session::Session;
use crate::writers::Stop;

const PAUSE: Duration = Duration::from_millis(10);
/// As a client has it that does not want to wait for TCP to give up.
const PATIENCE: Duration = Duration::from_secs(15);

/// psql on the host, through pgpool's port, as `orders_owner`.
pub struct Probe {
    stop: Stop,
    writer: JoinHandle<Report>,
}

/// What the client saw.
#[derive(Debug)]
pub struct Report {
    pub acknowledged: BTreeSet<u64>,
    pub longest_gap: Duration,
}

impl Probe {
    pub fn start(cluster: &Cluster) -> Probe {
        cluster.pool_owner_sql("CREATE TABLE IF NOT EXISTS probe (id bigint PRIMARY KEY)");
        let first = cluster.pool_owner_sql("SELECT coalesce(max(id), 0) + 1 FROM probe").parse().unwrap();
        let address = cluster.address(POOL);
        let stop = Stop::new();
        let writer = std::thread::spawn({
            let stop = stop.flag();
            move || write_until(&stop, &address, first)
        });
        Probe { stop, writer }
    }

    /// Ends the client and asks the cluster for every row that it was promised.
    #[track_caller]
    pub fn finish(self, cluster: &Cluster) -> Report {
        drop(self.stop);
        let report = self.writer.join().expect("the probe does not panic");
        assert!(!report.acknowledged.is_empty(), "the probe never wrote");
        let kept: BTreeSet<u64> = cluster.pool_owner_sql("SELECT id FROM probe").lines().map(|id| id.parse().unwrap()).collect();
        let lost: Vec<&u64> = report.acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        report
    }
}

impl Cluster {
    /// As the owner of the service, in the services' database.
    #[track_caller]
    pub fn pool_owner_sql(&self, text: &str) -> String {
        crate::docker::wait_until(text, Duration::from_secs(30), || {
            self.try_pool_sql("orders_owner", OWNER_PASSWORD, "phoenix", text).ok()
        })
    }
}

fn open(address: &str) -> Session {
    Session::open(address, "9999", &["-v", "ON_ERROR_STOP=1"])
}

/// True if the server said that the row is committed.
fn write(session: &mut Session, id: u64) -> bool {
    session.say(&format!("INSERT INTO probe VALUES ({id}) RETURNING id;"))
        && session.hear(PATIENCE).is_ok_and(|line| line.trim() == id.to_string())
}

/// A row whose session broke is neither acknowledged nor lost: its id is not used again.
fn write_until(stop: &AtomicBool, address: &str, first: u64) -> Report {
    let mut report = Report { acknowledged: BTreeSet::new(), longest_gap: Duration::ZERO };
    let mut session = open(address);
    let mut last = Instant::now();
    for id in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if write(&mut session, id) {
            if !report.acknowledged.is_empty() {
                report.longest_gap = report.longest_gap.max(last.elapsed());
            }
            last = Instant::now();
            report.acknowledged.insert(id);
        } else {
            session = open(address);
        }
        std::thread::sleep(PAUSE);
    }
    // Also when it was still waiting at the end.
    report.longest_gap = report.longest_gap.max(last.elapsed());
    report
}
