//! What an operator does to a running cluster, done with `docker exec`: switchover, pause, promote, rejoin, attach and detach.
//!
//! What is true is said by psql, repmgr and SHOW POOL_NODES, and by a client that counts what was acknowledged.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../cluster/build.rs"]
mod build;
#[path = "../docker/mod.rs"]
mod docker;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/probe.rs"]
mod probe;
#[path = "../cluster/turn.rs"]
mod turn;
#[path = "../cluster/writers.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod writers;

mod one_by_one;
mod pause;
mod switchover;

use build::Cluster;

/// Three synchronous nodes and pgpool, as compose.yaml has them.
fn cluster(test: &str) -> Cluster {
    let cluster = Cluster::nodes(test, 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster
}

impl Cluster {
    /// `pgcluster …` in that container: what it said, and its exit code.
    fn operate(&self, container: &str, command: &[&str]) -> (String, i32) {
        let container = self.container(container);
        let line = [&["exec", "-u", "50010", &container, "pgcluster"], command].concat();
        let output = docker::docker_output(&line);
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (said, output.status.code().unwrap_or(-1))
    }

    /// It must succeed.
    #[track_caller]
    fn order(&self, container: &str, command: &[&str]) -> String {
        let (said, code) = self.operate(container, command);
        assert_eq!(code, 0, "pgcluster {} in {container}: {said}", command.join(" "));
        said
    }
}
