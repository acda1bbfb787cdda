//! `docker stop` in every phase before there is a server: a quick end, nothing half-done, and the next start is fine.

use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;

/// A stop before the server must not wait for anything.
const QUICK: Duration = Duration::from_secs(2);

impl Cluster {
    #[track_caller]
    fn stop_quickly(&self, node: &str, phase: &str) {
        let took = self.stop(node);
        let code = self.inspect(node, "{{.State.ExitCode}}");
        println!("stopped while {phase}: {took:.1?}, exit code {code}");
        assert_eq!(code, "130", "{phase}: {}", self.logs_of_this_start(node));
        assert!(took < QUICK, "{phase}: {took:?}");
    }

    /// What the waiting room says, to anybody who knocks.
    fn room_says(&self, node: &str, word: &str) -> bool {
        self.port_says(node, "5432", word)
    }

    fn port_says(&self, name: &str, port: &str, word: &str) -> bool {
        let psql = ["psql", "-h", "127.0.0.1", "-p", port, "-U", "nobody", "-d", "nobody", "-c", ""];
        self.try_exec(name, &psql).is_err_and(|text| text.contains(word))
    }
}

#[test]
fn a_stop_before_there_is_a_server_is_quick_and_leaves_nothing_half_done() {
    let mut cluster = Cluster::nodes("early", 2).create();
    let names: Vec<String> = (0..1000).map(|n| format!("s{n:03}")).collect();
    cluster.set_env("MSLIST", &names.join(","));
    cluster.set_env("MSOWNERPWDLIST", &vec!["owner"; 1000].join(","));
    cluster.set_env("MSUSERPWDLIST", &vec!["user"; 1000].join(","));

    cluster.start("pg01");
    cluster.wait_for_log("pg01", "no answer from node 1", DEADLINE);
    cluster.stop_quickly("pg01", "waiting for peers");
    assert!(!cluster.has_data("pg01"));

    cluster.start("pg02");
    cluster.start("pg01");
    wait_until("initdb runs", DEADLINE, || cluster.try_exec("pg01", &["test", "-e", "/u01/pg17/data.staging/PG_VERSION"]).ok());
    cluster.stop_quickly("pg01", "initdb runs");
    assert!(!cluster.has_data("pg01"));

    cluster.start("pg01");
    wait_until("services are provisioned", DEADLINE, || {
        cluster.try_exec("pg01", &["test", "-e", "/run/pgcluster/private/.s.PGSQL.5432"]).ok()
    });
    cluster.stop_quickly("pg01", "1000 services are provisioned");
    assert!(!cluster.has_data("pg01"));

    cluster.start("pg01");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.sql("pg01", "SELECT count(*) FROM pg_roles WHERE rolname ~ '^s[0-9]+_(owner|user)$'"), "2000");

    // A slow primary makes a slow copy.
    cluster.remove_volume("pg02");
    let fill = "CREATE TABLE big (t text); ALTER TABLE big ALTER t SET STORAGE EXTERNAL; \
                INSERT INTO big SELECT repeat('x', 8000) FROM generate_series(1, 12000); CHECKPOINT";
    fill.split("; ").for_each(|statement| drop(cluster.sql("pg01", statement)));
    cluster.limit_cpu("pg01", "0.1");
    cluster.start("pg02");
    wait_until("pg02 copies", DEADLINE, || cluster.room_says("pg02", "cloning").then_some(()));
    let counted = "SELECT count(*) FROM pg_stat_replication WHERE application_name LIKE 'pg0%'";
    assert_eq!(cluster.sql("pg01", counted), "0", "an incomplete copy is taken for a standby");
    cluster.stop_quickly("pg02", "copying");
    assert!(!cluster.has_data("pg02"));
    cluster.limit_cpu("pg01", "2");
    cluster.start("pg02");
    cluster.wait_healthy("pg01");
    assert_eq!(cluster.in_volume("pg02", "ls -A").lines().filter(|name| name.contains("staging")).count(), 0);
}

#[test]
fn a_stop_of_a_former_primary_before_it_serves_is_quick_and_changes_nothing() {
    let cluster = Cluster::nodes("former", 2).pgpool().create();
    cluster.start(POOL);
    wait_until("pgpool waits for a primary", DEADLINE, || {
        cluster.port_says(POOL, "9999", "looking for the primary").then_some(())
    });
    cluster.stop_quickly(POOL, "pgpool waits for a primary");

    cluster.nodes.iter().for_each(|node| cluster.start(node));
    cluster.wait_nodes_healthy("pg01");
    cluster.stop_all();
    let before = cluster.fingerprint("pg01");
    cluster.start("pg01");
    cluster.wait_for_log("pg01", "only 1 of 2 nodes name it", DEADLINE);
    cluster.stop_quickly("pg01", "waiting with data");
    assert_eq!(cluster.fingerprint("pg01"), before, "waiting changed the data");

    for node in ["pg02", "pg01"] {
        cluster.start(node);
    }
    cluster.wait_nodes_healthy("pg01");
    cluster.diverge("pg01", "pg02", 2);
    // A rewind copies all WAL that the primary has, and a slow primary makes it slow.
    for _ in 0..6 {
        cluster.sql("pg02", "SELECT pg_switch_wal(), pg_logical_emit_message(true, 'test', 'x')");
    }
    cluster.limit_cpu("pg02", "0.1");
    cluster.start("pg01");
    wait_until("pg01 rewinds", DEADLINE, || cluster.room_says("pg01", "rewinding").then_some(()));
    cluster.stop_quickly("pg01", "rewinding");
    cluster.limit_cpu("pg02", "2");
    cluster.start("pg01");
    cluster.wait_nodes_healthy("pg02");
    cluster.assert_rejoined("pg01", 2);
}
