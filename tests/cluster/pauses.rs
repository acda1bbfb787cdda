//! Containers that freeze and thaw (`docker pause`): they hold their sockets and their beliefs, and wake up as if nothing had been.

use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::links::three_nodes;
use crate::probe::Probe;

/// Whoever is primary after the thaw: all are well, nobody lost anything.
fn freeze_the_primary(cluster: &Cluster, length: Duration) {
    let old = cluster.primary().unwrap();
    let probe = Probe::start(cluster);
    std::thread::sleep(Duration::from_secs(1));
    cluster.pause(&old);
    std::thread::sleep(length);
    cluster.unpause(&old);
    let (next, healed) = cluster.wait_all_well();
    let report = probe.finish(cluster);
    println!(
        "{old} paused for {length:.0?}: {next} is primary, longest gap {:.2?}, {} rows acknowledged and kept, all well {healed:.1?} after the \
         thaw",
        report.longest_gap,
        report.acknowledged.len()
    );
}

#[test]
#[ignore = "make faults"]
fn a_primary_that_freezes_for_a_moment_costs_no_row() {
    freeze_the_primary(&three_nodes("freeze"), Duration::from_secs(5));
}

#[test]
#[ignore = "make faults"]
fn a_primary_that_freezes_for_a_minute_costs_no_row() {
    freeze_the_primary(&three_nodes("freeze"), Duration::from_secs(60));
}

/// One of two is enough for a commit; none is not, and then the primary waits rather than writes alone.
#[test]
fn frozen_standbys_hold_commits_up_and_change_no_primary() {
    let cluster = three_nodes("standbys");
    let reign = cluster.reign("pg01");
    cluster.pause("pg02");
    assert!(cluster.acknowledges("pg01", "with one standby"), "one standby of two is enough");
    cluster.pause("pg03");
    let alone = cluster.acknowledges("pg01", "without a standby");
    // Longer than the patience of any health check.
    std::thread::sleep(Duration::from_secs(12));
    ["pg02", "pg03"].iter().for_each(|node| cluster.unpause(node));
    assert!(!alone, "acknowledged while every standby was frozen");
    let served = cluster.wait_for_write_through(POOL, "after the thaw");
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    assert_eq!(cluster.count_of("pg03", "with one standby"), "1");
    println!(
        "both standbys paused for 12 s: no commit meanwhile; thawed: writable after {served:.1?}, all well {healed:.1?} later"
    );
}

/// All its timers ring at once when it thaws.
fn freeze_pgpool(length: Duration) {
    let cluster = three_nodes("pool");
    let reign = cluster.reign("pg01");
    cluster.pause(POOL);
    std::thread::sleep(length);
    cluster.unpause(POOL);
    let served = cluster.wait_for_write_through(POOL, "after the thaw");
    cluster.nobody_but("pg01", Duration::from_secs(5));
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!(
        "pgpool01 paused for {length:.0?}: nobody promoted; writable {served:.1?} after the thaw, all well {healed:.1?} later"
    );
}

#[test]
fn a_pgpool_that_thaws_promotes_nobody() {
    freeze_pgpool(Duration::from_secs(6));
}

#[test]
#[ignore = "make faults"]
fn a_pgpool_that_thaws_after_a_minute_promotes_nobody() {
    freeze_pgpool(Duration::from_secs(60));
}
