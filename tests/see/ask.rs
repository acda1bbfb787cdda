//! `status` of a healthy cluster, from a database container and from pgpool's.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::build::{Cluster, POOL};
use crate::docker::docker_output;

/// What a command said and its exit code.
pub struct Said {
    pub code: i32,
    pub text: String,
}

impl Cluster {
    /// `pgcluster …` as an operator runs it.
    pub fn ask(&self, name: &str, args: &[&str]) -> Said {
        let container = self.container(name);
        let line = [["exec", "-u", "50010", &container, "timeout", "20", "pgcluster"].as_slice(), args].concat();
        let output = docker_output(&line);
        let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        Said { code: output.status.code().unwrap_or(-1), text }
    }

    #[track_caller]
    pub fn ask_json(&self, name: &str, args: &[&str]) -> (i32, Value) {
        let said = self.ask(name, &[args, &["--json"]].concat());
        let value = serde_json::from_str(&said.text).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", said.text));
        (said.code, value)
    }

    /// `status --json` that satisfies, with its exit code; or what it said last.
    #[track_caller]
    pub fn wait_for_status(&self, name: &str, what: &str, is_so: impl Fn(i32, &Value) -> bool) -> Value {
        let mut last = Value::Null;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            let (code, value) = self.ask_json(name, &["status"]);
            if is_so(code, &value) {
                return value;
            }
            last = json!({ "exit": code, "said": value });
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("status of {name} never said {what}; last: {last:#}");
    }
}

pub fn codes(status: &Value) -> Vec<&str> {
    status["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap()).collect()
}

pub fn node<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["nodes"].as_array().unwrap().iter().find(|node| node["name"] == name).unwrap()
}

/// No escape where no terminal is, and no line that is too long.
#[track_caller]
pub fn assert_fits(text: &str) {
    assert!(!text.contains('\u{1b}'), "{text:?}");
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{} columns: {line}", line.chars().count());
    }
}

pub fn the_truth(cluster: &Cluster) {
    for place in ["pg01", "pg03", POOL] {
        let status = cluster.wait_for_status(place, "healthy", |code, status| code == 0 && codes(status) == ["manual-failover"]);
        agrees_with_psql(cluster, &status);
        agrees_with_repmgr(cluster, &status);
        assert_fits(&cluster.ask(place, &["status"]).text);
    }
    agrees_with_pgpool(cluster);
    colours_are_for_terminals(cluster);
    how_long_it_takes(cluster);
}

fn agrees_with_psql(cluster: &Cluster, status: &Value) {
    assert_eq!(status["cluster"]["primary"], "pg01");
    assert_eq!(status["cluster"]["writable"], true);
    assert_eq!(
        status["cluster"]["epoch"].to_string(),
        cluster.sql_in("pg01", "repmgr", "SELECT max(epoch) FROM pgcluster.epoch")
    );
    let reader = "SELECT application_name || ' ' || sync_state FROM pg_stat_replication ORDER BY 1";
    let seen = ["pg02", "pg03"].map(|name| format!("{name} {}", node(status, name)["sync_state"].as_str().unwrap()));
    assert_eq!(cluster.sql("pg01", reader), seen.join("\n"));
    for name in &cluster.nodes {
        let is_standby = cluster.sql(name, "SELECT pg_is_in_recovery()") == "t";
        assert_eq!(node(status, name)["state"], if is_standby { "standby" } else { "primary" });
        let timeline = cluster.sql(name, "SELECT timeline_id FROM pg_control_checkpoint()");
        assert_eq!(node(status, name)["timeline"].to_string(), timeline);
    }
}

/// `ID,connection,replication lag` of `cluster show --csv` says nothing of roles: the table does.
fn agrees_with_repmgr(cluster: &Cluster, status: &Value) {
    let shown = cluster.exec("pg02", &["repmgr", "cluster", "show", "--compact"]);
    for name in &cluster.nodes {
        let row = shown.lines().find(|line| line.contains(&format!("| {name} "))).unwrap();
        let columns: Vec<&str> = row.split('|').map(str::trim).collect();
        let ours = &node(status, name)["repmgr"];
        assert_eq!((ours["node_id"].to_string(), ours["type"].as_str()), (columns[0].to_string(), Some(columns[2])));
        assert_eq!(ours["active"], true);
    }
}

fn agrees_with_pgpool(cluster: &Cluster) {
    let (_, status) = cluster.ask_json(POOL, &["status"]);
    assert_eq!(status["pgpools"], json!([{ "name": POOL, "state": "serving", "primary": "pg01" }]));
    let shown = cluster.pool_sql("SHOW POOL_NODES");
    for (line, name) in shown.lines().zip(&cluster.nodes) {
        let columns: Vec<&str> = line.split('|').collect();
        assert_eq!(columns[1], name);
        let word = if columns[3] == "waiting" { "up" } else { columns[3] };
        assert_eq!(node(&status, name)["pgpool"][POOL], word, "{line}");
    }
    let (_, status) = cluster.ask_json("pg01", &["status"]);
    assert_eq!((&status["pgpools"], &node(&status, "pg01")["pgpool"]), (&json!([]), &Value::Null));
}

/// `script` gives the command a terminal.
fn colours_are_for_terminals(cluster: &Cluster) {
    let on_a_terminal = |env: &str| {
        let line = ["exec", "-t", "-u", "50010", "-e", env, &cluster.container("pg01"), "pgcluster", "status"];
        String::from_utf8_lossy(&docker_output(&line).stdout).into_owned()
    };
    assert!(on_a_terminal("A=b").contains('\u{1b}'));
    assert!(!on_a_terminal("NO_COLOR=1").contains('\u{1b}'));
}

/// Milliseconds inside the container, without docker's share: the median, and the slowest.
pub fn time_of_status(cluster: &Cluster, name: &str, looks: u32) -> (u64, u64) {
    let once = "a=$(date +%s%N); pgcluster status >/dev/null; b=$(date +%s%N); echo $(( (b - a) / 1000000 ))";
    let script = format!("for i in $(seq {looks}); do {once}; done");
    let said = cluster.exec(name, &["timeout", "60", "sh", "-c", &script]);
    let mut times: Vec<u64> = said.lines().map(|line| line.parse().unwrap()).collect();
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() - 1])
}

/// For whoever reads the log; a look that hangs is a bug, a slow machine is none.
fn how_long_it_takes(cluster: &Cluster) {
    for name in ["pg01", POOL] {
        let (median, slowest) = time_of_status(cluster, name, 20);
        eprintln!("status in {name}: median {median} ms, slowest {slowest} ms");
        assert!(median < 10_000, "{median} ms");
    }
}
