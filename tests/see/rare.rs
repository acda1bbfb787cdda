//! States that a healthy cluster passes in a moment, held still: a copy that waits, a pgpool that says nothing, a former primary that
//! cannot know, two primaries that do not see each other.

use serde_json::{Value, json};

use crate::ask::{assert_fits, codes, node};
use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;

impl Cluster {
    /// The signal, inside the container, to each of these processes.
    fn signal(&self, name: &str, signal: &str, pids: &str) {
        self.exec(name, &["sh", "-c", &format!("kill -{signal} {pids}")]);
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
    let text = cluster.ask("pg02", &["status"]);
    assert_eq!(text.code, 1, "{}", text.text);
    assert!(text.text.contains("node-waiting: pg03 is not serving yet: cloning"), "{}", text.text);
    assert_fits(&text.text);
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
    let (code, status) = cluster.ask_json(POOL, &["status"]);
    assert_eq!((code, codes(&status)), (1, vec!["pool-unreachable", "manual-failover"]), "{status:#}");
    assert_eq!(status["pgpools"], json!([{ "name": POOL, "state": "unreachable", "primary": null }]));
    assert_eq!((&node(&status, "pg01")["pgpool"], &status["cluster"]["writable"]), (&Value::Null, &Value::Bool(true)));
    let said = cluster.ask(POOL, &["status"]);
    assert_eq!(said.code, 1, "{}", said.text);
    assert!(said.text.contains(&format!("pool-unreachable: {POOL} does not answer")), "{}", said.text);
    assert_fits(&said.text);
    // A database container knows no pgpool.
    assert_eq!(cluster.ask_json("pg01", &["status"]).0, 0);
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
    let next = wait_until("a second primary", DEADLINE, || {
        let is_primary = |name: &&str| cluster.try_sql(name, "SELECT pg_is_in_recovery()").as_deref() == Ok("f");
        ["pg02", "pg03"].into_iter().find(is_primary)
    });
    assert!(promoted.text.contains(&format!("promoted {next}")), "{}", promoted.text);
    assert_eq!(cluster.sql("pg01", "SELECT pg_is_in_recovery()"), "f");
    let here = cluster.wait_for_status(next, "one dead node", |code, _| code == 1);
    assert_eq!((&here["cluster"]["primary"], &here["cluster"]["epoch"]), (&json!(next), &json!(2)));
    assert_eq!(node(&here, "pg01")["state"], "unreachable");
    let there = cluster.wait_for_status("pg01", "that nobody acknowledges", |code, _| code == 2);
    assert_eq!((&there["cluster"]["primary"], &there["cluster"]["epoch"]), (&json!("pg01"), &json!(1)));
    assert_eq!((&there["cluster"]["writable"], codes(&there)[0]), (&json!(false), "commits-wait"));
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
    assert_eq!(codes(&status)[..2], ["no-primary", "node-parked"]);
    assert_eq!((&status["cluster"]["primary"], &status["cluster"]["writable"]), (&Value::Null, &json!(false)));
    let truth = "SELECT pg_is_in_recovery(), current_setting('primary_conninfo') = ''";
    assert_eq!(cluster.sql(&old, truth), "t|t");
    let said = cluster.ask(POOL, &["status"]);
    assert!(said.code == 2 && said.text.contains(&format!("node-parked: {old} is parked")), "{}", said.text);
    assert_fits(&said.text);
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
