//! What `status` says of a cluster in trouble, and what psql and the kernel say of it.

use std::time::{Duration, Instant};

use crate::ask::{assert_fits, codes, node};
use crate::build::{Cluster, POOL};
use crate::docker::wait_until;

/// Unpauses whatever happens: a paused container cannot be removed.
struct Paused<'a>(&'a Cluster, &'a str);

impl<'a> Paused<'a> {
    fn now(cluster: &'a Cluster, name: &'a str) -> Paused<'a> {
        cluster.pause(name);
        Paused(cluster, name)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        self.0.unpause(self.1);
    }
}

pub fn replay_is_paused(cluster: &Cluster) {
    cluster.sql("pg02", "SELECT pg_wal_replay_pause()");
    cluster.sql("pg01", "CREATE TABLE filler AS SELECT repeat('x', 1000) FROM generate_series(1, 2000)");
    let status = cluster.wait_for_status("pg03", "that pg02 does not replay", |code, status| {
        code == 1 && codes(status).contains(&"replay-paused") && node(status, "pg02")["lag_bytes"].as_u64() > Some(2_000_000)
    });
    let behind = "SELECT pg_wal_lsn_diff(replay_lsn, '0/0') FROM pg_stat_replication WHERE application_name = 'pg02'";
    let ahead = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')";
    let real = cluster.sql("pg01", ahead).parse::<u64>().unwrap() - cluster.sql("pg01", behind).parse::<u64>().unwrap();
    let said = node(&status, "pg02")["lag_bytes"].as_u64().unwrap();
    assert!(said.abs_diff(real) < 1 << 20, "status says {said} bytes, psql {real}");
    assert!(node(&status, "pg02")["lag_seconds"].as_f64().is_some());
    cluster.sql("pg02", "SELECT pg_wal_replay_resume()");
    cluster.sql("pg01", "DROP TABLE filler");
    cluster.wait_for_status("pg03", "health", |code, _| code == 0);
}

/// Somebody edits repmgr.nodes; the primary's health check corrects it within 5 s, so one look may come too late.
pub fn metadata_lie(cluster: &Cluster) {
    wait_until("status to say that repmgr.nodes lies", Duration::from_secs(60), || {
        cluster.sql_in("pg01", "repmgr", "UPDATE repmgr.nodes SET active = false WHERE node_name = 'pg03'");
        let (code, status) = cluster.ask_json("pg01", &["status"]);
        (code == 1 && codes(&status) == ["metadata-wrong", "manual-failover"]).then_some(())
    });
    cluster.wait_for_status("pg01", "health", |code, _| code == 0);
    cluster.wait_healthy("pg01");
}

/// An operator's order, given on one node and read on every other.
pub fn failover_is_paused(cluster: &Cluster) {
    assert_eq!(cluster.ask("pg02", &["pause", "--because", "a drill", "--owner", "anna", "--yes"]).code, 0);
    for place in ["pg01", "pg03", POOL] {
        let (code, status) = cluster.ask_json(place, &["status"]);
        assert_eq!((code, codes(&status)), (0, vec!["failover-paused"]));
        let words = status["cluster"]["paused"].as_str().unwrap();
        assert!(words.starts_with("anna") && words.ends_with("a drill"), "{words}");
    }
    assert_eq!(cluster.ask("pg03", &["resume", "--yes"]).code, 0);
    assert_eq!(cluster.ask_json("pg01", &["status"]).1["cluster"]["paused"], serde_json::Value::Null);
}

pub fn a_standby_is_paused(cluster: &Cluster) {
    let paused = Paused::now(cluster, "pg03");
    let began = Instant::now();
    for place in ["pg01", POOL] {
        let (code, status) = cluster.ask_json(place, &["status"]);
        assert_eq!((code, node(&status, "pg03")["state"].as_str()), (1, Some("unreachable")), "{status:#}");
        assert_eq!(status["cluster"]["writable"], true, "{status:#}");
        assert!(codes(&status).contains(&"no-election"), "{status:#}");
        let (median, slowest) = crate::ask::time_of_status(cluster, place, 5);
        eprintln!("status in {place} with pg03 paused: median {median} ms, slowest {slowest} ms");
        assert!(median < 10_000, "{median} ms");
    }
    drop(paused);
    eprintln!("pg03 was paused for {:.0} s", began.elapsed().as_secs_f64());
    cluster.wait_for_status(POOL, "health", |code, _| code == 0);
}

pub fn standbys_are_stopped(cluster: &Cluster) {
    cluster.stop("pg03");
    let status = cluster
        .wait_for_status(POOL, "that pgpool knows", |code, status| code == 1 && node(status, "pg03")["pgpool"][POOL] == "down");
    assert_eq!(codes(&status), ["node-unreachable", "no-election", "manual-failover"]);
    assert_eq!(node(&status, "pg03")["repmgr"]["type"], "standby");
    cluster.stop("pg02");
    let status = cluster.wait_for_status("pg01", "that commits wait", |code, _| code == 2);
    assert_eq!(codes(&status)[0], "commits-wait");
    assert_eq!(status["cluster"]["writable"], false);
    assert_fits(&cluster.ask("pg01", &["status"]).text);
    let write = ["timeout", "2", "psql", "-Xq", "-d", "postgres", "-c", "CREATE TABLE waits (at timestamptz)"];
    assert!(cluster.try_exec("pg01", &write).is_err(), "a commit did not wait");
    cluster.start("pg02");
    cluster.start("pg03");
    cluster.wait_healthy("pg01");
    cluster.wait_for_status(POOL, "health", |code, _| code == 0);
}

pub fn the_primary_is_paused(cluster: &Cluster) {
    let paused = Paused::now(cluster, "pg01");
    let began = Instant::now();
    let (code, status) = cluster.ask_json("pg02", &["status"]);
    assert_eq!((code, codes(&status)[0], &status["cluster"]["primary"]), (2, "no-primary", &serde_json::Value::Null));
    let said = cluster.ask(POOL, &["status"]);
    assert!(said.code == 2 && said.text.contains("none"), "{}", said.text);
    assert_fits(&said.text);
    let plan = cluster.ask_json(POOL, &["plan"]).1;
    assert_eq!(plan["verdict"], "look for a primary", "{plan:#}");
    assert!(began.elapsed() < Duration::from_secs(30));
    drop(paused);
    cluster.wait_for_status("pg02", "health", |code, _| code == 0);
}
