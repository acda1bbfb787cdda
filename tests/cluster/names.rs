//! Names and addresses that go over to others: a name that nobody has is a node that does not answer, and whoever answers is looked at.

use std::time::Duration;

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::health::DEADLINE;
use crate::links::three_nodes;

const STRANGER: &str = "stranger";
/// Longer than the patience of the health checks.
const A_WHILE: Duration = Duration::from_secs(12);

impl Cluster {
    /// A writable server of another cluster, of one node, with the same passwords, that this network calls `alias`.
    #[track_caller]
    fn start_stranger(&mut self, alias: &str) {
        for (name, value) in
            [("PG_BACKEND_NODE_LIST", "0:stranger"), ("PGMASTER_NODE_NAME", STRANGER), ("REPLICATION_MODE", "async")]
        {
            self.set_node_env(STRANGER, name, value);
        }
        self.create_volume(STRANGER);
        self.run_as(STRANGER, &self.container(STRANGER), &["--network-alias", alias]);
        wait_until("the stranger is writable", DEADLINE, || {
            self.try_sql(STRANGER, "SELECT pg_is_in_recovery()").is_ok_and(|text| text == "f").then_some(())
        });
    }
}

#[test]
fn a_name_that_is_gone_or_belongs_to_a_stranger_changes_nothing() {
    let mut cluster = three_nodes("names");
    let reign = cluster.reign("pg01");
    let old_address = cluster.address("pg02");

    cluster.stop("pg02");
    cluster.nobody_but("pg01", Duration::from_secs(5));
    cluster.wait_for_write_through(POOL, "without the name");

    cluster.start_stranger("pg02");
    let address = cluster.address(STRANGER);
    cluster.nobody_but("pg01", A_WHILE);
    for _ in 0..5 {
        cluster.wait_for_write_through(POOL, "beside a stranger");
    }
    let shown = cluster.pool_sql("SHOW POOL_NODES");
    let is_used = shown.lines().any(|line| line.split('|').nth(1) == Some("pg02") && line.split('|').nth(3) == Some("up"));
    assert!(!is_used, "pgpool uses the stranger: {shown}");
    assert_eq!(cluster.count_of("pg01", "beside a stranger"), "5");

    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");

    // The stranger's vote does not count: pg03 alone is too few.
    cluster.kill("pg01");
    cluster.nobody_but("pg01", A_WHILE);
    cluster.remove_container(STRANGER);
    cluster.start("pg01");
    cluster.start("pg02");
    // Two standbys that are back before the former primary may elect.
    let (primary, healed) = cluster.wait_all_well();
    assert_eq!(cluster.count_of(&primary, "beside a stranger"), "5");
    println!(
        "pg02 stopped, its name gone; then its name (and address: {old_address} before, {address} after) a stranger's, then pg01 killed: nobody \
         promoted, the stranger not used; {primary} is primary and all well {healed:.1?} after both were back"
    );
}
