//! Clients that write all the time, through every pgpool and straight to every node, and remember who acknowledged what.
//!
//! Each row comes back with the name and the timeline of the server that committed it. So two things can be said at the end: whether a
//! row that was acknowledged is gone, and whether a server went on acknowledging after one of a later timeline had.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::docker::try_docker;
use crate::session::Session;

const PAUSE: Duration = Duration::from_millis(10);
/// After a write or a session that came to nothing: a standby refuses each write.
const RETRY: Duration = Duration::from_millis(200);
/// psql's last word on each statement, however it ended.
const OVER: &str = "over";
/// For an answer: longer than any failover takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ids of one client and the next are that far apart.
const SHARE: u64 = 1_000_000_000;

/// An acknowledgement as the client saw it.
#[derive(Clone, Debug)]
pub struct Ack {
    pub sent: Instant,
    pub heard: Instant,
    pub node: String,
    pub timeline: u32,
}

/// Tells a client's thread to end, also when the test fails before it asks for the report.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn new() -> Stop {
        Stop(Arc::new(AtomicBool::new(false)))
    }

    /// For the thread.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub struct Writers {
    stop: Stop,
    clients: Vec<JoinHandle<BTreeMap<u64, Ack>>>,
}

/// What all clients saw.
pub struct Report {
    pub acks: BTreeMap<u64, Ack>,
}

impl Writers {
    /// One client for each of `places`: a pgpool's name, or a node's.
    pub fn start(cluster: &Cluster, places: &[&str]) -> Writers {
        cluster.pool_owner_sql("CREATE TABLE IF NOT EXISTS written (id bigint PRIMARY KEY)");
        let first: u64 = cluster.pool_owner_sql("SELECT coalesce(max(id), 0) FROM written").parse().unwrap();
        let base = (first / SHARE + 1) * SHARE;
        let stop = Stop::new();
        let client = |(number, place): (usize, &&str)| {
            let (stop, container) = (stop.flag(), cluster.container(place));
            let port = if place.starts_with("pgpool") { "9999" } else { "5432" };
            std::thread::spawn(move || write_until(&stop, &container, port, base + number as u64 * SHARE))
        };
        let clients = places.iter().enumerate().map(client).collect();
        Writers { stop, clients }
    }

    /// Through pgpool01 and to every node.
    pub fn everywhere(cluster: &Cluster) -> Writers {
        let places: Vec<&str> = std::iter::once(POOL).chain(cluster.nodes.iter().map(String::as_str)).collect();
        Writers::start(cluster, &places)
    }

    pub fn finish(self) -> Report {
        drop(self.stop);
        let clients = self.clients.into_iter().map(|client| client.join().expect("a client does not panic"));
        Report { acks: clients.flatten().collect() }
    }
}

impl Report {
    /// Acknowledged rows that the cluster does not have.
    pub fn lost(&self, cluster: &Cluster) -> Vec<u64> {
        let text = cluster.pool_owner_sql("SELECT id FROM written ORDER BY id");
        let kept: std::collections::BTreeSet<u64> = text.lines().map(|id| id.parse().unwrap()).collect();
        self.acks.keys().filter(|id| !kept.contains(id)).copied().collect()
    }

    /// Rows that were sent after somebody had heard of a later timeline, and acknowledged by a server of an earlier one all the same.
    pub fn out_of_reign(&self) -> Vec<&Ack> {
        let mut heard: Vec<(Instant, u32)> = self.acks.values().map(|ack| (ack.heard, ack.timeline)).collect();
        heard.sort();
        let mut latest = 0;
        for (_, timeline) in &mut heard {
            latest = latest.max(*timeline);
            *timeline = latest;
        }
        let known_at = |moment: Instant| match heard.partition_point(|(at, _)| *at < moment) {
            0 => 0,
            after => heard[after - 1].1,
        };
        self.acks.values().filter(|ack| ack.timeline < known_at(ack.sent)).collect()
    }

    /// Nothing acknowledged is gone, and nobody acknowledged after a later reign had. What was counted, in words.
    #[track_caller]
    pub fn assert_kept(&self, cluster: &Cluster) -> String {
        assert!(!self.acks.is_empty(), "nobody ever wrote");
        let (lost, stale) = (self.lost(cluster), self.out_of_reign());
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
        assert!(stale.is_empty(), "acknowledged after a later reign had begun: {stale:?}");
        format!("{} rows acknowledged and kept, {:?}, longest gap {:.2?}", self.acks.len(), self.per_node(), self.longest_gap())
    }

    /// The longest time in which nobody heard an acknowledgement, wherever it tried.
    pub fn longest_gap(&self) -> Duration {
        let mut heard: Vec<Instant> = self.acks.values().map(|ack| ack.heard).collect();
        heard.sort();
        heard.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    }

    pub fn per_node(&self) -> BTreeMap<&str, usize> {
        let mut count = BTreeMap::new();
        self.acks.values().for_each(|ack| *count.entry(ack.node.as_str()).or_default() += 1);
        count
    }
}

/// None while the container has no address.
fn open(container: &str, port: &str) -> Option<Session> {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let addresses = try_docker(&["inspect", "-f", format, container]).ok()?;
    Some(Session::open(addresses.split_whitespace().next()?, port, &[]))
}

fn write(session: &mut Session, id: u64) -> Written {
    let sent = Instant::now();
    let statement = format!(
        "INSERT INTO written VALUES ({id}) RETURNING id || ' ' || current_setting('cluster_name') || ' ' || \
         left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);\n\\echo {OVER}"
    );
    if !session.say(&statement) {
        return Written::Broken;
    }
    let mut written = Written::Refused;
    loop {
        match session.hear(PATIENCE) {
            Ok(line) if line == OVER => return written,
            Ok(line) => written = acknowledged(&line, id, sent).map_or(Written::Broken, Written::Acknowledged),
            // What was acknowledged stays so, whatever became of the session then.
            Err(_) if matches!(written, Written::Acknowledged(_)) => return written,
            Err(_) => return Written::Broken,
        }
    }
}

enum Written {
    Acknowledged(Ack),
    /// The session goes on.
    Refused,
    Broken,
}

fn acknowledged(line: &str, id: u64, sent: Instant) -> Option<Ack> {
    let (returned, rest) = line.split_once(' ')?;
    let (node, timeline) = rest.split_once(' ')?;
    let timeline = u32::from_str_radix(timeline, 16).ok()?;
    (returned == id.to_string()).then(|| Ack { sent, heard: Instant::now(), node: node.into(), timeline })
}

/// A row whose session broke is neither acknowledged nor lost: its id is not used again.
fn write_until(stop: &AtomicBool, container: &str, port: &str, first: u64) -> BTreeMap<u64, Ack> {
    let mut acks = BTreeMap::new();
    let mut session = None;
    for id in first.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let Some(open) = session.get_or_insert_with(|| open(container, port)) else {
            session = None;
            std::thread::sleep(RETRY);
            continue;
        };
        match write(open, id) {
            Written::Acknowledged(ack) => drop(acks.insert(id, ack)),
            Written::Refused => std::thread::sleep(RETRY),
            Written::Broken => {
                session = None;
                std::thread::sleep(RETRY);
            }
        }
        std::thread::sleep(PAUSE);
    }
    acks
}
