//! States that a healthy cluster passes in a moment, held still: a copy that waits, a pgpool that says nothing, a former primary that
//! cannot know, two primaries that do not see each other.

use serde_json::{Value, json};

use crate::ask::{assert_fits, codes, node};
use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;

impl Cluster {
    /// The signal, inside the container, to each of these processes that is still there: pgpool's child for a question has gone by now.
    fn signal(&self, name: &str, signal: &str, pids: &str) {
        self.exec(name, &["sh", "-c", &format!("kill -{signal} {pids} 2>/dev/null; true")]);
    }

    /// What a person reads there: `status` with this exit code says this, and fits.
    fn reads(&self, name: &str, code: i32, words: &str) {
        let said = wait_until(&format!("status of {name} says {words:?}"), DEADLINE, || {
            Some(self.ask(name, &["status"])).filter(|said| said.code == code && said.text.contains(words))
        });
        assert_fits(&said.text);
    }
}

/// The checkpointer of the primary stands still, so that the copy cannot begin; everything else goes on.
pub fn a_node_is_cloning(cluster: &Cluster) {
    let checkpointer = cluster.sql("pg01", "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
    cluster.remove_volume("pg03");
    cluster.signal("pg01", "STOP", &checkpointer);
    cluster.start("pg03");
    wait_until("the copy waits for its checkpoint", DEADLINE, || {
        let phase = cluster.sql("pg01", "SELECT phase FROM pg_stat_progress_basebackup");
        (phase == "waiting for checkpoint to finish").then_some(())
    });
    let status =
        cluster.wait_for_status("pg01", "that pg03 clones", |code, status| code == 1 && codes(status).contains(&"node-waiting"));
    let seen = node(&status, "pg03");
    assert_eq!((seen["state"].as_str(), seen["detail"].as_str()), (Some("waiting"), Some("cloning")), "{status:#}");
    assert_eq!(status["cluster"]["writable"], true);
    cluster.reads("pg02", 1, "node-waiting: pg03 is not serving yet: cloning");
    cluster.signal("pg01", "CONT", &checkpointer);
    cluster.wait_healthy("pg01");
    cluster.wait_for_status(POOL, "health", |code, _| code == 0);
}

/// All of pgpool's processes stand still, and its container runs on.
pub fn pgpool_is_silent(cluster: &Cluster) {
    let count = ["timeout", "3", "pcp_node_count", "-h", "/run/pgpool", "-p", "9898", "-U", "pgpool", "-w"];
    assert_eq!(cluster.exec(POOL, &count), "3");
    let pids = cluster.exec(POOL, &["sh", "-c", "grep -lx pgpool /proc/[0-9]*/comm | cut -d/ -f3 | tr '\\n' ' '"]);
    cluster.signal(POOL, "STOP", &pids);
    assert!(cluster.try_exec(POOL, &count).is_err(), "pgpool answers");
    let status = cluster.wait_for_status(POOL, "that pgpool alone is silent", |code, status| {
        code == 1 && codes(status) == ["pool-unreachable", "manual-failover"]
    });
    assert_eq!(status["pgpools"], json!([{ "name": POOL, "state": "unreachable", "primary": null }]));
    assert_eq!((&node(&status, "pg01")["pgpool"], &status["cluster"]["writable"]), (&Value::Null, &Value::Bool(true)));
    cluster.reads(POOL, 1, &format!("pool-unreachable: {POOL} does not answer"));
    // A database container knows no pgpool.
    cluster.wait_for_status("pg01", "health", |code, _| code == 0);
    cluster.signal(POOL, "CONT", &pids);
    cluster.wait_healthy("pg01");
    cluster.wait_for_status(POOL, "health", |code, _| code == 0);
}

/// Nothing promotes by itself here, so each of these states lasts until it is ended.
#[test]
#[ignore = "make faults"]
fn a_cluster_seen_in_two_minds_and_parked() {
    let cluster = Cluster::nodes("rare", 3).pgpool().restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    two_primaries_that_do_not_meet(&cluster);
    a_former_primary_alone(&cluster);
}

fn two_primaries_that_do_not_meet(cluster: &Cluster) {
    cluster.cut("pg01");
    let promoted = cluster.ask("pg02", &["promote", "--because", "a drill", "--yes"]);
    assert_eq!(promoted.code, 0, "{}", promoted.text);
    let (next, _) = cluster.wait_for_successor("pg01");
    let next = next.as_str();
    assert!(promoted.text.contains(&format!("promoted {next}")), "{}", promoted.text);
    assert_eq!(cluster.sql("pg01", "SELECT pg_is_in_recovery()"), "f");
    let here = cluster.wait_for_status(next, "one dead node", |code, _| code == 1);
    assert_eq!((&here["cluster"]["primary"], &here["cluster"]["epoch"]), (&json!(next), &json!(2)));
    assert_eq!(node(&here, "pg01")["state"], "unreachable");
    // Off the network no name has an address, its own neither: it sees nobody, and psql sees a primary.
    let there = cluster.wait_for_status("pg01", "that nobody answers", |code, _| code == 2);
    assert_eq!((&there["cluster"]["primary"], &there["cluster"]["writable"]), (&Value::Null, &json!(false)));
    assert_eq!(codes(&there)[0], "no-primary");
    assert!(cluster.nodes.iter().all(|name| node(&there, name)["state"] == "unreachable"), "{there:#}");
    for place in ["pg01", next] {
        assert_fits(&cluster.ask(place, &["status"]).text);
    }
    let write = ["timeout", "2", "psql", "-Xq", "-d", "postgres", "-c", "CREATE TABLE alone (at timestamptz)"];
    assert!(cluster.try_exec("pg01", &write).is_err(), "the old primary acknowledged a commit");
    cluster.heal("pg01");
    cluster.wait_healthy(next);
}

fn a_former_primary_alone(cluster: &Cluster) {
    let old = cluster.primary().unwrap();
    let names = cluster.nodes.clone();
    cluster.kill_all_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    cluster.start(&old);
    let status =
        cluster.wait_for_status(&old, "that it is parked", |code, status| code == 2 && node(status, &old)["state"] == "parked");
    assert!(codes(&status)[0] == "no-primary" && codes(&status).contains(&"node-parked"), "{status:#}");
    assert_eq!((&status["cluster"]["primary"], &status["cluster"]["writable"]), (&Value::Null, &json!(false)));
    let truth = "SELECT pg_is_in_recovery(), current_setting('primary_conninfo') = ''";
    assert_eq!(cluster.sql(&old, truth), "t|t");
    cluster.reads(POOL, 2, &format!("node-parked: {old} is parked"));
    for node in names.iter().filter(|node| **node != old) {
        cluster.start(node);
    }
    wait_until("all servers answer", DEADLINE, || {
        names.iter().all(|node| cluster.try_sql(node, "SELECT 1").is_ok()).then_some(())
    });
    let promoted = cluster.ask(&old, &["promote", "--because", "all are back", "--yes"]);
    assert_eq!(promoted.code, 0, "{}", promoted.text);
    let next = wait_until("a primary", DEADLINE, || cluster.primary());
    cluster.wait_healthy(&next);
}
