//! A node freezes under sessions through pgpool: nobody waits for an answer that never comes, and new sessions do without it.

use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use crate::belief::{INTERVAL, SERVER, SLACK, all_up, checks, wait_for, wait_writable};
use crate::build::{Cluster, OWNER_PASSWORD, POOL};
use crate::docker::wait_until;
use crate::session::Session;

const SESSIONS: usize = 8;
/// Without help a session waits for TCP: more than a quarter of an hour.
const PATIENCE: Duration = Duration::from_secs(30);

/// Through pgpool, each begun.
fn open_all(cluster: &Cluster, first: &str) -> Vec<Session> {
    let address = cluster.address(POOL);
    let mut sessions: Vec<Session> = (0..SESSIONS).map(|_| Session::open(&address, "9999", &["-v", "ON_ERROR_STOP=1"])).collect();
    sessions.iter_mut().for_each(|session| assert!(session.say(first)));
    sessions.iter().for_each(|session| assert!(session.hear(PATIENCE).is_ok()));
    sessions
}

/// How many hear neither an answer nor the end of their session.
fn count_waiting(sessions: &mut [Session], statement: &str) -> usize {
    sessions.iter_mut().for_each(|session| assert!(session.say(statement)));
    sessions.iter().filter(|session| session.hear(PATIENCE) == Err(RecvTimeoutError::Timeout)).count()
}

#[test]
fn nobody_waits_for_a_frozen_node() {
    let cluster = Cluster::nodes("pool-frozen", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, &all_up("pg01"));
    cluster.wait_healthy("pg01");
    // pgpool restarts its children by itself only for the first of its list.
    cluster.kill("pg01");
    let primary = wait_until("another primary", SERVER, || cluster.successor("pg01"));
    cluster.start("pg01");
    cluster.wait_healthy(&primary);
    a_frozen_standby(&cluster, "pg01", &primary);
    a_frozen_primary(&cluster, &primary);
}

/// pgpool connects each new session to all backends.
fn a_frozen_standby(cluster: &Cluster, standby: &str, primary: &str) {
    let mut sessions = open_all(cluster, "SELECT 'begun';");
    cluster.pause(standby);
    wait_writable(cluster, &format!("{standby} is frozen"), INTERVAL * 2 + SLACK);
    let out = all_up(primary).replace(&format!("{standby} up"), &format!("{standby} down"));
    wait_for(cluster, &format!("{standby} is frozen"), INTERVAL * 2 + SLACK, &out);
    let waiting = count_waiting(&mut sessions, "SELECT 'still here';");
    assert_eq!(waiting, 0, "of {SESSIONS} sessions hang on the frozen standby{}", checks(cluster));
    assert_eq!(cluster.sql(primary, "SELECT pg_is_in_recovery()"), "f");
    cluster.unpause(standby);
    wait_for(cluster, &format!("{standby} streams again"), INTERVAL * 2 + SLACK + SERVER, &all_up(primary));
    cluster.wait_healthy(primary);
}

fn a_frozen_primary(cluster: &Cluster, old: &str) {
    wait_until("a table", SERVER, || {
        cluster.try_pool_sql("orders_owner", OWNER_PASSWORD, "phoenix", "CREATE TABLE IF NOT EXISTS frozen (word text)").ok()
    });
    let write = "INSERT INTO frozen VALUES ('x') RETURNING word;";
    let mut sessions = open_all(cluster, write);
    cluster.pause(old);
    let began = Instant::now();
    let waiting = count_waiting(&mut sessions, write);
    assert_eq!(waiting, 0, "of {SESSIONS} sessions hang on the frozen primary{}", checks(cluster));
    eprintln!("the last session on frozen {old} heard of it after {:.1} s", began.elapsed().as_secs_f64());
    let next = wait_until("another primary", SERVER, || cluster.successor(old));
    wait_writable(cluster, &format!("{old} is frozen"), SERVER);
    cluster.unpause(old);
    cluster.wait_healthy(&next);
}
