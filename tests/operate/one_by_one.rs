//! Commands for one node, and what they refuse.

use std::time::Duration;

use crate::build::{Cluster, POOL, POSTGRES_PASSWORD};
use crate::cluster;
use crate::docker::wait_until;
use crate::health::DEADLINE;

/// Between two health checks of pgpool, and some more.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn orders_for_one_node() {
    let cluster = cluster("orders");
    plans_change_nothing(&cluster);
    cluster.wait_healthy("pg01");
    let refusals: [(&[&str], &str); 7] = [
        (&["switchover", "--to", "pg01", "--yes"], "is the primary already"),
        (&["switchover", "--to", "pg09", "--yes"], "no node is called pg09; there are pg01, pg02, pg03"),
        (&["rejoin", "pg01", "--yes"], "pg01 is the primary: pgcluster switchover hands over first"),
        (&["attach", "pg02"], "this container has no pgpool"),
        (&["stop", "pg09", "--yes"], "no node is called pg09; there are pg01, pg02, pg03"),
        (&["bootstrap", "--because", "test", "--yes"], "pg01 is primary: pg02 copies it by itself"),
        (&["stop", "--yes"], "--yes"),
    ];
    for (command, words) in refusals {
        let code = if command == ["stop", "--yes"] { 2 } else { 1 };
        cluster.says("pg02", command, code, words);
    }
    cluster.says("pg01", &["switchover", "--yes"], 1, "this container's own server is the one that stops");
    cluster.says("pg01", &["promote", "--because", "test"], 0, "nothing to promote, pg01 is primary");

    // A second operator is told who the first is, whatever both want.
    cluster.while_anna_works_on("pg01", || {
        for (place, command) in [
            ("pg03", &["switchover", "--yes"][..]),
            ("pg02", &["rejoin", "pg02", "--yes"]),
            ("pg03", &["stop", "pg02", "--yes"]),
            ("pg02", &["pause", "--because", "test", "--yes"]),
            (POOL, &["detach", "pg03", "--yes"]),
        ] {
            cluster.says(place, command, 1, "another operator is at it: anna upgrades, since");
        }
    });
    cluster.wait_healthy("pg01");

    // pgpool's own word on what it uses; its health check brings a healthy node back.
    let shows = |status: &str| {
        let rows = cluster.try_pool_sql("postgres", POSTGRES_PASSWORD, "postgres", "SHOW POOL_NODES").unwrap_or_default();
        rows.lines().any(|row| row.contains("pg03") && row.split('|').nth(3) == Some(status))
    };
    cluster.order(POOL, &["detach", "pg03", "--yes"]);
    wait_until("pgpool has pg03 down", SOON, || shows("down").then_some(()));
    cluster.order(POOL, &["attach", "pg03"]);
    wait_until("pgpool has pg03 up", SOON, || shows("up").then_some(()));

    let said = cluster.says("pg01", &["rejoin", "pg02", "--yes"], 0, "pg02 follows pg01");
    assert!(said.contains("it streams in place"), "{said}");
    cluster.wait_healthy("pg01");
    println!("{said}");
    stop_one(&cluster);
}

/// As psql and pgpool have it: which servers run since when, reigns, the order of a pause, and what pgpool uses.
fn fingerprint(cluster: &Cluster) -> String {
    let starts = cluster.nodes.iter().map(|node| cluster.sql(node, "SELECT pg_postmaster_start_time(), pg_is_in_recovery()"));
    let starts: Vec<String> = starts.collect();
    let rows = "SELECT (SELECT count(*) FROM pgcluster.epoch), to_regclass('pgcluster.pause'), current_setting('pgcluster.promised_epoch')";
    let shown = cluster.pool_sql("SHOW POOL_NODES");
    let in_use: Vec<&str> = shown.lines().filter_map(|row| row.split('|').nth(3)).collect();
    format!("{starts:?} {} {in_use:?}", cluster.sql_in("pg02", "repmgr", rows))
}

fn plans_change_nothing(cluster: &Cluster) {
    let before = fingerprint(cluster);
    let orders: [(&str, &[&str], &str); 7] = [
        ("pg02", &["switchover"], "switchover from pg01 to pg0"),
        ("pg02", &["switchover", "--to", "pg03"], "promote pg03; the others follow it"),
        ("pg01", &["rejoin", "pg02"], "it streams in place"),
        ("pg01", &["stop", "pg02"], "pg02 is a standby"),
        ("pg03", &["stop", "pg01"], "a failover: pg0"),
        ("pg02", &["pause", "--because", "test"], "pg01 is primary of epoch 1"),
        (POOL, &["detach", "pg03"], "sends nobody there"),
    ];
    for (place, command, words) in orders {
        let said = cluster.says(place, command, 3, words);
        assert!(said.contains("Nothing was done: say --yes to go on."), "{command:?}: {said}");
    }
    for (place, command, words) in [
        ("pg03", &["resume"][..], "it was not paused"),
        ("pg02", &["promote", "--force", "--because", "test"], "nothing to promote, pg01 is primary"),
        (POOL, &["attach", "pg03"], "pgpool pgpool01 uses pg03"),
    ] {
        let said = cluster.says(place, command, 0, words);
        assert!(said.contains("Nothing is to be done."), "{command:?}: {said}");
    }
    assert_eq!(fingerprint(cluster), before);
}

/// A standby, which comes back; then the primary, which is replaced.
fn stop_one(cluster: &Cluster) {
    let started = || cluster.try_sql("pg03", "SELECT pg_postmaster_start_time()").ok();
    let before = started();
    cluster.says(POOL, &["stop", "pg03", "--yes"], 0, "stopped pg03's server");
    wait_until("pg03 runs again", DEADLINE, || started().filter(|now| Some(now) != before.as_ref()));
    cluster.wait_healthy("pg01");
    cluster.says("pg02", &["stop", "pg01", "--yes"], 0, "stopped pg01's server");
    let next = wait_until("another primary", DEADLINE, || cluster.primary().filter(|now| now != "pg01"));
    cluster.wait_healthy(&next);
    println!("stopped pg03, which came back, and pg01, which {next} replaced");
}
