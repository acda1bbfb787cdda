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
#[path = "../cluster/session.rs"]
mod session;
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

    /// The same until it says this with that exit code: on a busy machine a node may not answer a look in time. For what changes nothing,
    /// or may be ordered again.
    #[track_caller]
    fn says(&self, container: &str, command: &[&str], expected: i32, words: &str) -> String {
        let began = std::time::Instant::now();
        loop {
            let (said, code) = self.operate(container, command);
            if code == expected && said.contains(words) {
                return said;
            }
            let what = format!("pgcluster {} in {container}", command.join(" "));
            assert!(began.elapsed() < health::DEADLINE, "{what} exits {code}, not {expected} with {words:?}: {said}");
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
    }

    /// It must succeed.
    #[track_caller]
    fn order(&self, container: &str, command: &[&str]) -> String {
        let (said, code) = self.operate(container, command);
        assert_eq!(code, 0, "pgcluster {} in {container}: {said}", command.join(" "));
        said
    }

    /// Another operator holds the lock on that node meanwhile.
    fn while_anna_works_on(&self, node: &str, work: impl FnOnce()) {
        let holds =
            "SET application_name = 'anna upgrades'; SELECT pg_advisory_lock(x'6f70657261746f72'::bigint); SELECT pg_sleep(60)";
        let of_anna = "FROM pg_stat_activity WHERE application_name = 'anna upgrades' AND pid <> pg_backend_pid()";
        std::thread::scope(|scope| {
            scope.spawn(|| drop(self.try_sql_in(node, "repmgr", holds)));
            docker::wait_until("anna has the lock", health::DEADLINE, || {
                let has = format!("SELECT count(*) {of_anna} AND wait_event = 'PgSleep'");
                (self.sql_in(node, "repmgr", &has) == "1").then_some(())
            });
            // Whatever becomes of it, her session ends, and with it the thread.
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            self.sql_in(node, "repmgr", &format!("SELECT pg_terminate_backend(pid) {of_anna}"));
            if let Err(panic) = result {
                std::panic::resume_unwind(panic);
            }
        });
    }
}
