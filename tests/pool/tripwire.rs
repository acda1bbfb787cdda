//! No client is connected, and the primary dies: who notices?

use std::time::{Duration, Instant};

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, checks, wait_for, wait_writable};
use crate::build::{Cluster, POOL};
use crate::docker::{docker, eventually, wait_until};

const END_SESSION: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgcluster tripwire'";

/// How often pgpool's failover command was told of an election that was not its own.
fn elections(cluster: &Cluster) -> usize {
    cluster.logs(POOL).matches("was elected just now").count()
}

/// Our own process in pgpool's container: pid there, and private memory in kB.
fn tripwire(cluster: &Cluster) -> Option<(String, u64)> {
    let script = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q '^/proc/self/exe tripwire' && echo ${p#/proc/} $(grep RssAnon $p/status); done; true";
    let found = cluster.exec(POOL, &["sh", "-c", script]);
    assert!(found.lines().count() <= 1, "one is enough: {found}");
    let words: Vec<&str> = found.split_whitespace().collect();
    Some((words.first()?.to_string(), words.get(2)?.parse().unwrap()))
}

/// Its session through pgpool, by the primary's own word.
fn is_connected(cluster: &Cluster, primary: &str) -> bool {
    let sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgcluster tripwire'";
    cluster.try_sql(primary, sessions).is_ok_and(|count| count == "1")
}

#[test]
fn a_death_is_noticed_without_any_client() {
    let cluster = Cluster::nodes("pool-wire", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.wait_healthy("pg01");
    eventually("a tripwire", || is_connected(&cluster, "pg01"));
    let (pid, memory) = tripwire(&cluster).expect("it is connected");
    eprintln!("the tripwire is process {pid}, with {memory} kB of its own");
    assert!(memory < 2048, "{memory} kB");
    let mut old = String::from("pg01");
    for _ in 0..2 {
        let next = dies_unseen(&cluster, &old);
        // At once, and not by the next health check.
        eventually("the tripwire again", || is_connected(&cluster, &next));
        assert_eq!(tripwire(&cluster).map(|(pid, _)| pid).as_ref(), Some(&pid));
        cluster.start(&old);
        cluster.wait_healthy(&next);
        old = next;
    }
    assert!(elections(&cluster) > 0, "{}", cluster.logs(POOL));
    a_false_alarm_costs_nothing(&cluster, &old);
    let next = dies_between_two_sessions(&cluster, &old);
    somebody_ends_it(&cluster, &next, &pid);
}

/// pgpool says who sent the request: the tripwire's own child, or its health check.
fn dies_unseen(cluster: &Cluster, old: &str) -> String {
    let requests = || {
        let log = cluster.logs(POOL);
        log.lines().filter(|line| line.contains("degenerate backend request for node_id")).map(String::from).collect::<Vec<_>>()
    };
    let before = requests().len();
    cluster.kill(old);
    let began = Instant::now();
    let next = wait_until("another primary", SERVER, || cluster.primary());
    eprintln!("{next} is primary {:.2} s after {old} was killed", began.elapsed().as_secs_f64());
    let first = requests().into_iter().nth(before).expect("pgpool asked for a failover");
    assert!(first.contains("pgcluster_tripwire pid") || first.contains("pgcluster tripwire pid"), "{first}");
    next
}

/// Its session ends on a living server: nobody is promoted, nothing is detached, and it is back.
fn a_false_alarm_costs_nothing(cluster: &Cluster, primary: &str) {
    let reign = || cluster.sql_in(primary, "repmgr", "SELECT max(epoch) FROM pgcluster.epoch");
    let before = reign();
    cluster.sql(primary, END_SESSION);
    wait_writable(cluster, "a false alarm", SLACK);
    eventually("the tripwire again", || is_connected(cluster, primary));
    cluster.wait_healthy(primary);
    assert_eq!(reign(), before);
}

/// Two seconds pass before it has a session through pgpool again; it watches the primary itself meanwhile.
fn dies_between_two_sessions(cluster: &Cluster, old: &str) -> String {
    let before = elections(cluster);
    cluster.sql(old, END_SESSION);
    std::thread::sleep(Duration::from_secs(1));
    assert!(!is_connected(cluster, old));
    cluster.kill(old);
    let (next, elected) = cluster.wait_for_successor(old);
    eprintln!("{next} is primary {:.2} s after {old} was killed, between two sessions", elected.as_secs_f64());
    wait_writable(cluster, "killed between two sessions", SERVER);
    assert_eq!(elections(cluster), before + 1, "{}", cluster.logs(POOL));
    cluster.start(old);
    cluster.wait_healthy(&next);
    eventually("the tripwire again", || is_connected(cluster, &next));
    next
}

fn somebody_ends_it(cluster: &Cluster, primary: &str, pid: &str) {
    docker(&["exec", &cluster.container(POOL), "sh", "-c", &format!("kill -9 {pid}")]);
    let deadline = INTERVAL + SLACK + Duration::from_secs(10);
    wait_until("another tripwire", deadline, || is_connected(cluster, primary).then_some(()));
    let now = tripwire(cluster).map(|(pid, _)| pid);
    assert!(now.is_some() && now.as_deref() != Some(pid), "{now:?}{}", checks(cluster));
}
