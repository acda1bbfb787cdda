//! The primary dies, stops, freezes or is cut off, with and without pgpool: one primary afterwards, nothing acknowledged lost, and the
//! old one comes back by itself.

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;
use crate::probe::Probe;

fn cluster() -> Cluster {
    let cluster = Cluster::nodes("fault", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster
}

/// Does `fault` to the primary, waits for the next, undoes it, and waits until every oracle is content again.
#[track_caller]
fn survives(cluster: &Cluster, name: &str, fault: impl Fn(&Cluster, &str), undo: impl Fn(&Cluster, &str)) {
    let old = cluster.primary().expect("a healthy cluster has a primary");
    let probe = Probe::start(cluster);
    std::thread::sleep(Duration::from_secs(1));
    fault(cluster, &old);
    let (next, elected) = cluster.wait_for_successor(&old);
    std::thread::sleep(Duration::from_secs(2));
    undo(cluster, &old);
    let healed = cluster.wait_healthy(&next);
    let report = probe.finish(cluster);
    println!(
        "{name} {old}: {next} is primary after {elected:.1?}, longest gap {:.2?}, {} rows acknowledged and kept, {old} is back {healed:.1?} after it was let go",
        report.longest_gap,
        report.acknowledged.len()
    );
}

#[test]
fn a_primary_that_is_lost_in_any_way_is_replaced_and_rejoins() {
    let cluster = cluster();
    survives(&cluster, "kill", |c, node| c.kill(node), |c, node| c.start(node));
    survives(&cluster, "stop", |c, node| println!("stopped in {:.1?}", c.stop(node)), |c, node| c.start(node));
    survives(&cluster, "pause", |c, node| c.pause(node), |c, node| c.unpause(node));
    survives(&cluster, "cut", |c, node| c.cut(node), |c, node| c.heal(node));
}

#[test]
fn a_crash_that_docker_repairs_ends_with_one_primary() {
    let cluster = cluster();
    let probe = Probe::start(&cluster);
    for _ in 0..2 {
        let old = cluster.primary().expect("a healthy cluster has a primary");
        cluster.crash_from_host(&old);
        let next = wait_until("one primary", DEADLINE, || cluster.primary());
        let healed = wait_until("all well", DEADLINE, || {
            let now = cluster.primary()?;
            let began = Instant::now();
            (cluster.find_illness(&now).is_none() && cluster.find_pool_illness(&now).is_none()).then(|| began.elapsed())
        });
        println!("SIGKILL of {old}'s server from the host: {next} is primary, all well {healed:.1?} later");
    }
    let report = probe.finish(&cluster);
    println!("longest gap {:.2?}, {} rows acknowledged and kept", report.longest_gap, report.acknowledged.len());
}

#[test]
fn without_pgpool_the_standbys_elect_and_pgpool_finds_out_later() {
    let cluster = cluster();
    cluster.pool_sql("CREATE TABLE witness (word text); INSERT INTO witness VALUES ('before')");
    cluster.stop(POOL);
    cluster.kill("pg01");
    let (next, elected) = cluster.wait_for_successor("pg01");
    cluster.start(POOL);
    let began = Instant::now();
    wait_until("a write through pgpool", DEADLINE, || {
        cluster.try_pool_sql("postgres", crate::build::POSTGRES_PASSWORD, "postgres", "INSERT INTO witness VALUES ('after')").ok()
    });
    println!(
        "no pgpool, SIGKILL of pg01: {next} is primary after {elected:.1?}; pgpool writable {:.1?} after its start",
        began.elapsed()
    );
    cluster.start("pg01");
    cluster.wait_healthy(&next);
    assert_eq!(cluster.pool_sql("SELECT string_agg(word, ' ') FROM witness"), "before after");
}

#[test]
fn twenty_promoters_at_once_make_one_primary() {
    let cluster = Cluster::nodes("fault", 3).env("FAILOVER_MODE", "auto").env("FAILOVER_AFTER", "60").up();
    cluster.wait_nodes_healthy("pg01");
    cluster.kill("pg01");
    let promote = |node: &str| cluster.try_exec(node, &["pgcluster", "promote", "--unattended", "--because", "test"]);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..20).map(|n| scope.spawn(move || promote(if n % 2 == 0 { "pg02" } else { "pg03" }))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (next, _) = cluster.wait_for_successor("pg01");
    let primaries = ["pg02", "pg03"].iter().filter(|node| cluster.sql(node, "SELECT pg_is_in_recovery()") == "f").count();
    assert_eq!(primaries, 1);
    assert_eq!(
        cluster
            .sql_in(&next, "repmgr", "SELECT string_agg(epoch || ' ' || node, ', ' ORDER BY epoch) FROM pgcluster.epoch")
            .split(", ")
            .count(),
        2
    );
    println!("20 promoters: {next} is primary, {} of them say so", answers.iter().filter(|answer| answer.is_ok()).count());
}
