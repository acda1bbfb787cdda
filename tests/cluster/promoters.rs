//! Promoters that die at every step of a promotion, and old primaries that come back in that very moment.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::docker::{docker_output, wait_until};
use crate::fault_points::collect;
use crate::health::DEADLINE;
use crate::links::three_nodes;
use crate::writers::Writers;

const PROMOTE: &[&str] = &[
    "promote-needed",
    "promote-locked",
    "promote-freezing",
    "promote-frozen",
    "promote-prepared",
    "promote-ordered",
    "promote-promoted",
    "promote-recorded",
    "promote-done",
];

#[test]
fn every_step_of_a_promotion_is_tried() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/act"), &mut found);
    found.retain(|name| name.starts_with("promote-"));
    assert_eq!(found, PROMOTE.iter().map(ToString::to_string).collect());
}

/// Once per point: the primary dies while no pgpool runs, an operator's promotion dies at that point, and the standbys end what it began.
fn die_at(points: &[&str]) {
    let cluster = three_nodes("step");
    let writers = Writers::everywhere(&cluster);
    for point in points {
        let (old, _) = cluster.wait_all_well();
        let asked = cluster.nodes.iter().find(|node| **node != old).expect("three nodes");
        cluster.stop(POOL);
        cluster.kill(&old);
        die_promoting(&cluster, asked, point);
        let (next, elected) = cluster.wait_for_successor(&old);
        cluster.start(POOL);
        cluster.start(&old);
        let (_, healed) = cluster.wait_all_well();
        println!(
            "no pgpool, {old} killed, a promoter dies at {point}: {next} is primary {elected:.1?} later, all well {healed:.1?} after \
             {old}'s start"
        );
    }
    println!("{}", writers.finish().assert_kept(&cluster));
}

#[track_caller]
fn die_promoting(cluster: &Cluster, node: &str, point: &str) {
    let (wish, container) = (format!("PGCLUSTER_DIE_AT={point}"), cluster.container(node));
    let promote = ["exec", "-u", "50010", "-e", &wish, &container, "pgcluster", "promote", "--unattended", "--because", "test"];
    wait_until(&format!("a promoter dies at {point}"), DEADLINE, || {
        let output = docker_output(&promote);
        (output.status.code() == Some(137)).then_some(())
    });
}

#[test]
fn a_promoter_that_dies_when_all_are_frozen_is_made_up_for() {
    die_at(&["promote-frozen"]);
}

#[test]
#[ignore = "make faults"]
fn a_promoter_that_dies_at_any_step_is_made_up_for() {
    die_at(PROMOTE);
}

/// What promotes in pgpool's container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Promoter {
    /// Alone: a pgpool with few children can spare none for the tripwire.
    FailoverCommand,
    /// Beside the failover command; it hears of a death first.
    Tripwire,
}

/// Once per point: a promoter of pgpool dies there. pgpool is told nothing, and whoever looks next ends what it began.
fn pgpool_dies_at(promoter: Promoter, points: &[&str]) {
    const MARKER: &str = "/run/pgcluster/died";
    for point in points {
        let mut cluster = Cluster::nodes("hook", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").create();
        cluster.set_node_env(POOL, "PGCLUSTER_DIE_AT", &format!("{point}@{MARKER}"));
        if promoter == Promoter::FailoverCommand {
            cluster.set_node_env(POOL, "PGPOOL_num_init_children", "7");
        }
        cluster.names().iter().for_each(|name| cluster.start(name));
        cluster.wait_healthy("pg01");
        cluster.pool_owner_sql("CREATE TABLE witness (word text)");
        if promoter == Promoter::Tripwire {
            let session = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgcluster tripwire'";
            wait_until("a tripwire", DEADLINE, || (cluster.sql("pg01", session) == "1").then_some(()));
        }
        let writers = Writers::everywhere(&cluster);
        cluster.kill("pg01");
        let (next, elected) = cluster.wait_for_successor("pg01");
        // Somebody died there. What the tripwire says, nobody hears.
        cluster.exec(POOL, &["test", "-e", MARKER]);
        if promoter == Promoter::FailoverCommand {
            assert!(cluster.logs(POOL).contains(&format!("die at fault point {point}")), "pgpool's command at {point}");
        }
        cluster.start("pg01");
        let (_, healed) = cluster.wait_all_well();
        println!(
            "pg01 killed, pgpool's {promoter:?} dies at {point}: {next} is primary {elected:.1?} later, all well {healed:.1?} after pg01's start"
        );
        println!("{}", writers.finish().assert_kept(&cluster));
    }
}

#[test]
fn a_failover_command_that_dies_before_its_order_is_made_up_for() {
    pgpool_dies_at(Promoter::FailoverCommand, &["promote-prepared"]);
}

#[test]
fn a_tripwire_that_dies_before_its_order_is_made_up_for() {
    pgpool_dies_at(Promoter::Tripwire, &["promote-prepared"]);
}

#[test]
#[ignore = "make faults"]
fn a_failover_command_that_dies_at_any_step_is_made_up_for() {
    pgpool_dies_at(Promoter::FailoverCommand, PROMOTE);
}

#[test]
#[ignore = "make faults"]
fn a_tripwire_that_dies_at_any_step_is_made_up_for() {
    pgpool_dies_at(Promoter::Tripwire, PROMOTE);
}

/// The old primary is on its way to resume when its successor is chosen: the promise decides.
fn race(times: u64) {
    let cluster = three_nodes("race");
    let writers = Writers::everywhere(&cluster);
    for time in 0..times {
        let (old, _) = cluster.wait_all_well();
        let delay = Duration::from_millis(time * 379 % 3000);
        cluster.kill(&old);
        std::thread::sleep(delay);
        cluster.start(&old);
        let (next, healed) = cluster.wait_all_well();
        println!("{old} killed and started {delay:.1?} later: {next} is primary, all well after {healed:.1?}");
    }
    println!("{}", writers.finish().assert_kept(&cluster));
}

#[test]
#[ignore = "make faults"]
fn an_old_primary_that_races_its_successor_is_one_of_both() {
    race(2);
}

#[test]
#[ignore = "make faults"]
fn an_old_primary_that_races_its_successor_forty_times_costs_no_row() {
    race(40);
}
