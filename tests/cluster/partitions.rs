//! The network breaks between some and not between others: nobody is promoted beside a primary that lives, and what was cut off comes back.

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL, SECOND_POOL};
use crate::links::three_nodes;
use crate::probe::Probe;

/// The standbys hear from the primary: pgpool's view alone promotes nobody.
#[test]
fn a_pgpool_that_alone_misses_the_primary_promotes_nobody_and_serves_again_by_itself() {
    let cluster = three_nodes("alone");
    let reign = cluster.reign("pg01");
    cluster.cut_between(POOL, "pg01");
    cluster.nobody_but("pg01", Duration::from_secs(15));
    assert!(cluster.acknowledges("pg01", "while cut"), "the primary stands still, though both standbys reach it");
    cluster.heal_between(POOL, "pg01");
    let served = cluster.wait_for_write_through(POOL, "healed");
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!(
        "pgpool01 cut from pg01 for 15 s: nobody promoted; healed: writable after {served:.1?}, all well {healed:.1?} later"
    );
}

/// One pgpool loses the primary, the other does not: they never send writes to two nodes.
#[test]
#[ignore = "make faults"]
fn two_pgpools_that_disagree_never_write_to_two_nodes() {
    let cluster = three_nodes("disagree");
    cluster.start_second_pool();
    let reign = cluster.reign("pg01");
    let probe = Probe::start(&cluster);
    cluster.cut_between(SECOND_POOL, "pg01");
    cluster.nobody_but("pg01", Duration::from_secs(12));
    let during = cluster.try_write_through(SECOND_POOL, "by the one that is cut off");
    cluster.heal_between(SECOND_POOL, "pg01");
    let served = cluster.wait_for_write_through(SECOND_POOL, "by both");
    let report = probe.finish(&cluster);
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!(
        "pgpool02 cut from pg01 for 12 s and more (a write through it: {}); through pgpool01 {} rows, longest gap {:.2?}; healed: pgpool02 \
         writes after {served:.1?}",
        during.map_or_else(|words| words.lines().next().unwrap_or_default().to_string(), |_| "committed".into()),
        report.acknowledged.len(),
        report.longest_gap
    );
}

/// What a cut-off primary is told it does not acknowledge, and what it wrote alone is gone when it is back.
fn cut_off_for(cluster: &Cluster, length: Duration) {
    let old = cluster.primary().unwrap();
    let probe = Probe::start(cluster);
    std::thread::sleep(Duration::from_secs(1));
    let began = Instant::now();
    cluster.cut(&old);
    let word = format!("by {old} alone");
    assert!(!cluster.acknowledges(&old, &word), "{old} acknowledged a write that no standby has");
    let (next, _) = cluster.wait_for_successor(&old);
    std::thread::sleep(length.saturating_sub(began.elapsed()));
    assert!(!cluster.acknowledges(&old, &word), "{old} acknowledged a write beside {next}");
    cluster.heal(&old);
    let healed = cluster.wait_healthy(&next);
    let report = probe.finish(cluster);
    for node in &cluster.nodes {
        assert_eq!(cluster.count_of(node, &word), "0", "{node}");
    }
    println!(
        "{old} cut off for {length:.0?}: {next} is primary, longest gap {:.2?}, {} rows acknowledged and kept; all well \
         {healed:.1?} after it was healed",
        report.longest_gap,
        report.acknowledged.len()
    );
}

#[test]
fn a_primary_that_is_cut_off_acknowledges_nothing_alone() {
    cut_off_for(&three_nodes("cut"), Duration::from_secs(5));
}

#[test]
#[ignore = "make faults"]
fn a_primary_that_is_cut_off_for_a_minute_comes_back() {
    cut_off_for(&three_nodes("cut"), Duration::from_secs(60));
}
