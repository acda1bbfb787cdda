//! Links between two containers that break while both live; a second pgpool; whether a reign went on.

use std::time::{Duration, Instant};

use crate::build::{Cluster, OWNER_PASSWORD, SECOND_POOL};
use crate::docker::{try_docker, wait_until};
use crate::health::DEADLINE;

/// Three synchronous nodes and a pgpool that may promote, restarted by Docker, healthy with pg01 as primary; and a table `witness`.
pub fn three_nodes(test: &str) -> Cluster {
    let cluster = Cluster::nodes(test, 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.pool_owner_sql("CREATE TABLE witness (word text)");
    cluster
}

impl Cluster {
    /// Packets between these two are lost on arrival, both ways, and nobody is told, until `heal_between`.
    #[track_caller]
    pub fn cut_between(&self, one: &str, other: &str) {
        for (here, there) in [(one, other), (other, one)] {
            self.iptables(here, &["-A", "INPUT", "-s", &self.address(there), "-j", "DROP"]);
        }
    }

    /// All that `cut_between` broke at these containers, if they still run: the rules of one that ended went with it.
    #[track_caller]
    pub fn heal_between(&self, one: &str, other: &str) {
        [one, other].into_iter().filter(|name| self.is_running(name)).for_each(|name| self.iptables(name, &["-F", "INPUT"]));
    }

    #[track_caller]
    pub fn start_second_pool(&self) {
        self.run_as(SECOND_POOL, &self.container(SECOND_POOL), &[]);
        self.wait_for_write_through(SECOND_POOL, "second pgpool started");
    }

    /// A row of `witness` through this pgpool, as the services' owner; what psql complained about if it is not committed.
    pub fn try_write_through(&self, pool: &str, word: &str) -> Result<String, String> {
        let password = format!("PGPASSWORD={OWNER_PASSWORD}");
        let write = format!("INSERT INTO witness VALUES ('{word}')");
        let psql =
            ["timeout", "20", "psql", "-XAtq", "-h", "127.0.0.1", "-p", "9999", "-U", "orders_owner", "-d", "phoenix", "-c"];
        try_docker(&[&["exec", "-e", &password, &self.container(pool)], psql.as_slice(), &[&write]].concat())
    }

    #[track_caller]
    pub fn wait_for_write_through(&self, pool: &str, word: &str) -> Duration {
        let began = Instant::now();
        wait_until(&format!("a write through {pool}: {word}"), DEADLINE, || self.try_write_through(pool, word).ok());
        began.elapsed()
    }

    /// Whether this node acknowledges a write to a session on its own socket within 4 s. Without an answer the row is there or not.
    pub fn acknowledges(&self, node: &str, word: &str) -> bool {
        let write = format!("INSERT INTO orders_owner.witness VALUES ('{word}')");
        let psql = ["timeout", "-s", "KILL", "4", "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "phoenix"];
        self.try_exec(node, &[psql.as_slice(), &["-c", &write]].concat()).is_ok()
    }

    /// How often this word is in `witness`, after one node.
    #[track_caller]
    pub fn count_of(&self, node: &str, word: &str) -> String {
        self.sql_in(node, "phoenix", &format!("SELECT count(*) FROM orders_owner.witness WHERE word = '{word}'"))
    }

    /// The timeline that this primary writes and the epochs on record: the same before and after means that nobody was promoted.
    #[track_caller]
    pub fn reign(&self, primary: &str) -> String {
        let reign =
            "SELECT left(pg_walfile_name(pg_current_wal_insert_lsn()), 8), array_agg(epoch ORDER BY epoch) FROM pgcluster.epoch";
        self.sql_in(primary, "repmgr", reign)
    }

    /// For this long nobody but `primary` leaves recovery, as far as the nodes can be asked; `primary` itself need not answer.
    #[track_caller]
    pub fn nobody_but(&self, primary: &str, length: Duration) {
        let began = Instant::now();
        let others = || self.nodes.iter().filter(|node| *node != primary && self.is_running(node));
        while began.elapsed() < length {
            for node in others() {
                let said = self.try_sql(node, "SELECT pg_is_in_recovery()");
                assert_ne!(said.as_deref(), Ok("f"), "{node} was promoted beside {primary} after {:.1?}", began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Waits until every oracle is content, whoever is primary then; who it is and how long it took. Twice the time: there may be an
    /// election first, and a rewind after it.
    #[track_caller]
    pub fn wait_all_well(&self) -> (String, Duration) {
        let began = Instant::now();
        let primary = wait_until("all are well, with one primary", 2 * DEADLINE, || {
            let primary = self.primary()?;
            (self.find_illness(&primary).is_none() && self.find_pool_illness(&primary).is_none()).then_some(primary)
        });
        (primary, began.elapsed())
    }
}
