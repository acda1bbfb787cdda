//! A planned change of the primary, under a client that writes all the time, and killed at each of its steps.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::cluster;
use crate::docker::{docker_output, wait_until};
use crate::probe::Probe;

const POINTS: [&str; 5] =
    ["switchover-begun", "switchover-locked", "switchover-promised", "switchover-stopped", "switchover-received"];
/// Docker doubles the pause before it restarts a container that lived for less than 10 s: more of those would be measured.
const CALM: Duration = Duration::from_secs(8);
const FEW: usize = 2;
/// For an election by the standbys, if the operator's command died at the worst place.
const HEALING: Duration = Duration::from_secs(90);

/// Hands over to `to`, ordered from `place`; the longest gap that a client saw, and how long until every oracle was content.
fn hand_over(cluster: &Cluster, place: &str, to: &str) -> Duration {
    let probe = Probe::start(cluster);
    std::thread::sleep(Duration::from_millis(700));
    // A standby that does not answer in time is a refusal, after which nothing has changed.
    cluster.says(place, &["switchover", "--to", to, "--yes"], 0, &format!("{to} is primary"));
    std::thread::sleep(Duration::from_millis(500));
    let report = probe.finish(cluster);
    let healed = cluster.wait_healthy(to);
    println!(
        "switchover to {to} from {place}: longest gap {:.0} ms, {} rows acknowledged and kept, every oracle content {healed:.1?} later",
        report.longest_gap.as_millis(),
        report.acknowledged.len()
    );
    report.longest_gap
}

/// All nodes have promised the reign that the primary has on record, and none a later one.
fn is_settled(cluster: &Cluster, primary: &str) -> bool {
    let reign = cluster.try_sql_in(primary, "repmgr", "SELECT max(epoch) FROM pgcluster.epoch");
    reign.is_ok() && cluster.nodes.iter().all(|node| cluster.try_sql(node, "SHOW pgcluster.promised_epoch") == reign)
}

fn there_and_back(times: usize) {
    let cluster = cluster("switch");
    let timeline = || cluster.control("pg01", "Latest checkpoint's TimeLineID");
    let before = timeline();
    let mut gaps: Vec<Duration> = Vec::new();
    for round in 0..times {
        if times > FEW {
            std::thread::sleep(CALM);
        }
        let places = [POOL, "pg03"];
        gaps.push(hand_over(&cluster, places[round % 2], "pg02"));
        gaps.push(hand_over(&cluster, places[(round + 1) % 2], "pg01"));
    }
    gaps.sort();
    println!(
        "{} switchovers: median gap {:.0} ms, longest {:.0} ms",
        gaps.len(),
        gaps[gaps.len() / 2].as_millis(),
        gaps[gaps.len() - 1].as_millis()
    );
    assert_ne!(timeline(), before, "each reign has a timeline of its own");
    for node in ["pg01", "pg02"] {
        assert!(!cluster.logs(node).contains("rewound onto"), "{node} was rewound after a switchover");
    }
}

#[test]
fn there_and_back_twice_under_load() {
    there_and_back(2);
}

#[test]
#[ignore = "make faults"]
fn there_and_back_ten_times_under_load() {
    there_and_back(10);
}

#[test]
fn every_step_is_tried() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/act/switchover.rs");
    let text = std::fs::read_to_string(folder).unwrap();
    let found: BTreeSet<&str> = text.split("fault_point(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(found, BTreeSet::from(POINTS));
}

#[test]
fn killed_at_any_step_the_cluster_ends_healthy() {
    let cluster = cluster("killed");
    let probe = Probe::start(&cluster);
    for point in POINTS {
        let old = cluster.primary().expect("a healthy cluster has a primary");
        let to = if old == "pg01" { "pg02" } else { "pg01" };
        let die = format!("PGCLUSTER_DIE_AT={point}");
        let line =
            ["exec", "-u", "50010", "-e", &die, &cluster.container("pg03"), "pgcluster", "switchover", "--to", to, "--yes"];
        let output = docker_output(&line);
        assert!(!output.status.success(), "it did not die at {point}");
        let began = std::time::Instant::now();
        let next = wait_until("every oracle to be content, and no promise to be open", HEALING, || {
            let primary = cluster.primary()?;
            let is_well = cluster.find_illness(&primary).is_none() && cluster.find_pool_illness(&primary).is_none();
            (is_well && is_settled(&cluster, &primary)).then_some(primary)
        });
        println!("switchover from {old} killed at {point}: {next} is primary, all well after {:.1?}", began.elapsed());
    }
    let report = probe.finish(&cluster);
    println!("{} rows acknowledged and kept, longest gap {:.1?}", report.acknowledged.len(), report.longest_gap);
}
