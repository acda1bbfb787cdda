//! `docker stop` in every phase before there is a server: a quick end, nothing half-done, and the next start is fine.

use std::time::Duration;

use crate::build::Cluster;
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
        self.try_exec(node, &["psql", "-h", "127.0.0.1", "-U", "nobody", "-c", ""]).is_err_and(|text| text.contains(word))
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
