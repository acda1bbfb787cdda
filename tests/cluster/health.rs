//! The oracles: what psql, repmgr and pgpool say of the cluster. Our own `status` is never asked.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::time::{Duration, Instant};

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;

/// Within this time a healthy cluster must be there, whatever happened before.
pub const DEADLINE: Duration = Duration::from_secs(60);

impl Cluster {
    /// The node that takes writes, after SQL.
    pub fn primary(&self) -> Option<String> {
        self.nodes.iter().find(|node| self.is_primary(node)).cloned()
    }

    fn is_primary(&self, node: &str) -> bool {
        self.is_running(node) && self.try_sql(node, "SELECT pg_is_in_recovery()").is_ok_and(|text| text == "f")
    }

    /// A primary other than `old`, which is not asked: it may be paused.
    pub fn successor(&self, old: &str) -> Option<String> {
        self.nodes.iter().find(|node| *node != old && self.is_primary(node)).cloned()
    }

    /// Its name and how long it took.
    #[track_caller]
    pub fn wait_for_successor(&self, old: &str) -> (String, Duration) {
        let began = Instant::now();
        let next = wait_until(&format!("a primary after {old}"), DEADLINE, || self.successor(old));
        (next, began.elapsed())
    }

    /// Waits until a write is committed somewhere, with everything that the replication mode asks for. How long it took, and where.
    #[track_caller]
    pub fn wait_writable(&self) -> (String, Duration) {
        let began = Instant::now();
        let write =
            "SET statement_timeout = '5s'; CREATE TABLE IF NOT EXISTS probe (at timestamptz); INSERT INTO probe VALUES (now())";
        let node = wait_until("a node commits a write", DEADLINE, || {
            self.nodes.iter().find(|node| self.is_running(node) && self.try_sql(node, write).is_ok()).cloned()
        });
        (node, began.elapsed())
    }

    /// Waits until every oracle agrees that all nodes are well and `primary` is the primary.
    #[track_caller]
    pub fn wait_healthy(&self, primary: &str) -> Duration {
        self.wait_until_well(|| {
            self.find_illness(primary).or_else(|| if self.has_pool() { self.find_pool_illness(primary) } else { None })
        })
    }

    /// The same without pgpool's opinion.
    #[track_caller]
    pub fn wait_nodes_healthy(&self, primary: &str) -> Duration {
        self.wait_until_well(|| self.find_illness(primary))
    }

    #[track_caller]
    fn wait_until_well(&self, find_illness: impl Fn() -> Option<String>) -> Duration {
        let began = Instant::now();
        loop {
            let Some(illness) = find_illness() else { return began.elapsed() };
            assert!(began.elapsed() < DEADLINE, "not healthy after {DEADLINE:?}: {illness}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// What is not as it should be with the data nodes, in the words of the oracle that says so.
    pub fn find_illness(&self, primary: &str) -> Option<String> {
        for node in &self.nodes {
            let expected = if node == primary { "f" } else { "t" };
            match self.try_sql(node, "SELECT pg_is_in_recovery()") {
                Ok(text) if text == expected => {}
                other => return Some(format!("{node}: pg_is_in_recovery() is {other:?}, expected {expected}")),
            }
        }
        let question = "SELECT application_name, state, sync_state FROM pg_stat_replication ORDER BY 1";
        let streaming = match self.try_sql(primary, question) {
            Ok(text) => text,
            Err(words) => return Some(format!("pg_stat_replication of {primary}: {words}")),
        };
        let sync_state = if self.env("REPLICATION_MODE") == "sync" { "quorum" } else { "async" };
        let followers: Vec<_> = self.nodes.iter().filter(|node| *node != primary).collect();
        let expected: Vec<_> = followers.iter().map(|node| format!("{node}|streaming|{sync_state}")).collect();
        if streaming != expected.join("\n") {
            return Some(format!("pg_stat_replication of {primary}: {streaming:?}, expected {expected:?}"));
        }
        for node in &self.nodes {
            if let Err(words) = self.try_exec(node, &["repmgr", "cluster", "show", "--compact"]) {
                return Some(format!("repmgr cluster show on {node}: {words}"));
            }
        }
        None
    }

    /// SHOW POOL_NODES: all up, and the role of each as pg_is_in_recovery says. Columns 1 node_id, 2 hostname, 4 status, 7 role.
    pub fn find_pool_illness(&self, primary: &str) -> Option<String> {
        let shown = match self.try_pool_sql("postgres", crate::build::POSTGRES_PASSWORD, "postgres", "SHOW POOL_NODES") {
            Ok(text) => text,
            Err(stderr) => return Some(format!("{POOL}: {stderr}")),
        };
        let row = |line: &str| {
            let columns: Vec<&str> = line.split('|').collect();
            format!("{} {} {}", columns[1], columns[3], columns[6])
        };
        let rows: Vec<String> = shown.lines().map(row).collect();
        let role = |node: &String| if node == primary { "primary" } else { "standby" };
        let expected: Vec<String> = self.nodes.iter().map(|node| format!("{node} up {}", role(node))).collect();
        (rows != expected).then(|| format!("SHOW POOL_NODES: {rows:?}, expected {expected:?}"))
    }
}
