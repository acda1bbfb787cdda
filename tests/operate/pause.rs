//! An operator forbids automatic failover, and answers for it.

use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::cluster;
use crate::docker::wait_until;
use crate::health::DEADLINE;

/// Longer than any of our clocks would wait before it promotes.
const LONG_ENOUGH: Duration = Duration::from_secs(20);

#[test]
fn a_paused_cluster_waits_for_its_operator() {
    let cluster = cluster("pause");
    cluster.says("pg02", &["pause", "--because", "network maintenance"], 3, "say --yes to go on");
    cluster.says("pg02", &["pause", "--because", "network maintenance", "--owner", "anna", "--yes"], 0, "paused");
    let row = cluster.sql_in("pg01", "repmgr", "SELECT owner, reason FROM pgcluster.pause");
    assert_eq!(row, "anna|network maintenance");
    let status = cluster.order(POOL, &["status"]);
    assert!(status.contains("network maintenance"), "status shows the pause: {status}");
    cluster.kill("pg01");
    std::thread::sleep(LONG_ENOUGH);
    assert_eq!(cluster.primary(), None, "somebody was promoted although automatic failover is paused");
    let logs = cluster.logs(POOL);
    assert!(logs.contains("automatic failover is paused by anna"), "pgpool's failover command says why: {logs}");
    nothing_without_a_word(&cluster);
    let said = cluster.order("pg03", &["promote", "--because", "anna decides", "--yes"]);
    assert!(said.contains("promoted pg0"), "{said}");
    let next = wait_until("a primary", DEADLINE, || cluster.primary());
    assert_eq!(cluster.sql_in(&next, "repmgr", "SELECT reason FROM pgcluster.epoch ORDER BY epoch DESC LIMIT 1"), "anna decides");
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    cluster.says("pg01", &["resume", "--yes"], 0, "resumed");
    assert_eq!(cluster.sql_in(&next, "repmgr", "SELECT count(*) FROM pgcluster.pause"), "0");
    cluster.kill(&next);
    wait_until("another primary", DEADLINE, || cluster.primary().filter(|now| *now != next));
    cluster.start(&next);
    println!("paused: nobody promoted in {LONG_ENOUGH:?}; promoted {next} by hand; resumed: replaced by itself");
}

/// Without a primary: plans, a refusal, and a second operator, who meets the first on a standby.
fn nothing_without_a_word(cluster: &Cluster) {
    let promises = || ["pg02", "pg03"].map(|node| cluster.sql(node, "SHOW pgcluster.promised_epoch"));
    let before = promises();
    let said = cluster.says("pg03", &["promote", "--because", "anna decides"], 3, "freeze pg02, pg03");
    assert!(said.contains("Nothing was done: say --yes to go on."), "{said}");
    cluster.says("pg03", &["resume", "--yes"], 1, "nobody is primary, and the order is a row");
    let both = || {
        cluster.says("pg03", &["promote", "--because", "both", "--yes"], 1, "another operator is at it: anna upgrades, since");
    };
    // On whichever of them that answers.
    cluster.while_anna_works_on("pg02", || cluster.while_anna_works_on("pg03", both));
    assert_eq!((promises(), cluster.primary()), (before, None));
}
