//! Every order of starting three nodes: from nothing, after a clean stop, after a SIGKILL of all. Always the same cluster.

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::health::DEADLINE;

fn start_one_after_another(cluster: &Cluster, order: [usize; 3]) {
    cluster.start(POOL);
    for number in order {
        cluster.start(&format!("pg{number:02}"));
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn every_phase_of(order: [usize; 3]) {
    let cluster = Cluster::nodes("order", 3).pgpool().create();
    start_one_after_another(&cluster, order);
    let fresh = cluster.wait_healthy("pg01");
    let system_id = cluster.sql("pg01", "SELECT system_identifier FROM pg_control_system()");
    cluster.pool_sql("CREATE TABLE witness (word text)");

    cluster.pool_sql("INSERT INTO witness VALUES ('before the stop')");
    cluster.stop_all();
    let (stopped, stopped_healthy) = come_back(&cluster, order, &system_id, "before the stop");

    cluster.pool_sql("INSERT INTO witness VALUES ('before the kill')");
    cluster.kill_all();
    let (killed, killed_healthy) = come_back(&cluster, order, &system_id, "before the stop\nbefore the kill");

    println!(
        "{order:?}: after the last start healthy in {fresh:.1?}; from the first start writable {stopped:.1?} after a stop, {killed:.1?} after \
         a kill (healthy {stopped_healthy:.1?}, {killed_healthy:.1?})"
    );
}

/// Starts all; the same primary with the same data takes writes in time. From the first start to writable, and to healthy.
fn come_back(cluster: &Cluster, order: [usize; 3], system_id: &str, witness: &str) -> (Duration, Duration) {
    let began = Instant::now();
    start_one_after_another(cluster, order);
    let (primary, _) = cluster.wait_writable();
    let writable = began.elapsed();
    assert_eq!(primary, "pg01");
    assert!(writable <= DEADLINE, "writable after {writable:?}");
    cluster.wait_healthy("pg01");
    let healthy = began.elapsed();
    for node in &cluster.nodes {
        assert_eq!(cluster.sql(node, "SELECT system_identifier FROM pg_control_system()"), system_id);
        assert_eq!(cluster.sql(node, "SELECT string_agg(word, E'\\n') FROM witness"), witness, "{node}");
    }
    (writable, healthy)
}

#[test]
fn order_1_2_3() {
    every_phase_of([1, 2, 3]);
}

#[test]
fn order_1_3_2() {
    every_phase_of([1, 3, 2]);
}

#[test]
fn order_2_1_3() {
    every_phase_of([2, 1, 3]);
}

#[test]
fn order_2_3_1() {
    every_phase_of([2, 3, 1]);
}

#[test]
fn order_3_1_2() {
    every_phase_of([3, 1, 2]);
}

#[test]
fn order_3_2_1() {
    every_phase_of([3, 2, 1]);
}
