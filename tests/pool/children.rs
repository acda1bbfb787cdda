//! pgpool's children, and what an attachment leaves behind in them.

use std::time::Duration;

use crate::belief::{ALL_UP, INTERVAL, SERVER, wait_for, wait_writable};
use crate::build::{Cluster, POOL};

/// Of the 62 children, while one check looks at pgpool: each that is woken wakes one or two more.
const WAKES: u64 = 200;

/// A pgpool that has just begun has children that are older than its status file, and not marked: they stay however often they are woken.
#[test]
fn a_check_of_a_pgpool_that_has_just_begun_leaves_its_children_alone() {
    let cluster = Cluster::nodes("pool-calm", 1).pgpool().env("FAILOVER_MODE", "auto").up();
    cluster.wait_healthy("pg01");
    cluster.stop(POOL);
    cluster.start(POOL);
    cluster.wait_healthy("pg01");
    let before = wakes(&cluster);
    cluster.exec(POOL, &["pgcluster", "health"]);
    let woken = wakes(&cluster).saturating_sub(before);
    eprintln!("pgpool's processes were woken {woken} times");
    assert!(woken < WAKES, "woken {woken} times");
}

/// How often pgpool's processes have waited for something, by the kernel's count.
fn wakes(cluster: &Cluster) -> u64 {
    let shown =
        cluster.exec(POOL, &["sh", "-c", "grep -h ^voluntary_ctxt_switches $(grep -ls '^Name:.pgpool$' /proc/[0-9]*/status)"]);
    shown.lines().map(|line| line.rsplit(char::is_whitespace).next().unwrap().parse::<u64>().unwrap()).sum()
}

/// An attachment marks every child, the next failover forks them anew with their marks, and whoever has one leaves at once: for a second
/// nobody would be there. So they are forked anew in calm.
#[test]
fn a_failover_soon_after_an_attachment_finds_no_marked_children() {
    let cluster = Cluster::nodes("pool-marks", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.wait_healthy("pg01");
    cluster.stop("pg03");
    wait_for(&cluster, "pg03 was stopped", SERVER, "pg01 up primary, pg02 up standby, pg03 down standby");
    cluster.start("pg03");
    wait_for(&cluster, "pg03 was started", SERVER, ALL_UP);
    std::thread::sleep(INTERVAL);
    cluster.kill("pg01");
    wait_writable(&cluster, "pg01 was killed", SERVER);
    std::thread::sleep(Duration::from_secs(2));
    let log = cluster.logs(POOL);
    let (_, after) = log.rsplit_once("=== Failover done. shutdown host pg01").expect("pgpool says so");
    let left = after.lines().filter(|line| line.contains("restarting myself")).count();
    eprintln!("{left} children left after the failover");
    assert!(left < 10, "{left} children left:\n{after}");
}
