//! An operator forbids automatic failover, and answers for it.

use std::time::Duration;

use crate::build::POOL;
use crate::cluster;
use crate::docker::wait_until;
use crate::health::DEADLINE;

/// Longer than any of our clocks would wait before it promotes.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

#[test]
fn a_paused_cluster_waits_for_its_operator() {
    let cluster = cluster("pause");
    let (said, code) = cluster.operate("pg02", &["pause", "--because", "network maintenance"]);
    assert_eq!(code, 3, "without --yes nothing is done: {said}");
    cluster.order("pg02", &["pause", "--because", "network maintenance", "--owner", "anna", "--yes"]);
    let row = cluster.sql_in("pg01", "repmgr", "SELECT owner, reason FROM pgcluster.pause");
    assert_eq!(row, "anna|network maintenance");
    let status = cluster.order(POOL, &["status"]);
    assert!(status.contains("network maintenance"), "status shows the pause: {status}");
    cluster.kill("pg01");
    std::thread::sleep(LONG_ENOUGH);
    assert_eq!(cluster.primary(), None, "somebody was promoted although automatic failover is paused");
    let logs = cluster.logs(POOL);
    assert!(logs.contains("automatic failover is paused by anna"), "pgpool's failover command says why: {logs}");
    cluster.order("pg03", &["promote", "--because", "anna decides"]);
    let next = wait_until("a primary", DEADLINE, || cluster.primary());
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    cluster.order("pg01", &["resume", "--yes"]);
    assert_eq!(cluster.sql_in(&next, "repmgr", "SELECT count(*) FROM pgcluster.pause"), "0");
    cluster.kill(&next);
    wait_until("another primary", DEADLINE, || cluster.primary().filter(|now| *now != next));
    cluster.start(&next);
    println!("paused: nobody promoted in {LONG_ENOUGH:?}; promoted {next} by hand; resumed: replaced by itself");
}
