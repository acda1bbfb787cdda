//! Nobody promotes but the operator, and pgpool runs no command: who tells it?

use std::time::Duration;

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, checks, wait_for, wait_writable};
use crate::build::Cluster;
use crate::docker::eventually;

#[test]
fn pgpool_learns_who_is_primary() {
    let cluster = Cluster::nodes("pool-learns", 3).pgpool().up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.wait_healthy("pg01");
    all_backends_stop_and_start(&cluster);
    a_standby_is_promoted_behind_its_back(&cluster);
}

/// pgpool alone would say "all backend nodes are down" for ever.
fn all_backends_stop_and_start(cluster: &Cluster) {
    for node in ["pg01", "pg02", "pg03"] {
        cluster.stop(node);
    }
    wait_for(cluster, "stop of all", SERVER, "pg01 down standby, pg02 down standby, pg03 down standby");
    for node in ["pg01", "pg02", "pg03"] {
        cluster.start(node);
    }
    wait_writable(cluster, "start of all", SERVER);
    wait_for(cluster, "start of all", INTERVAL * 2 + SLACK, ALL_UP);
    cluster.wait_healthy("pg01");
}

/// pgpool searched for a primary when pg01 went, found none, and never searches again.
fn a_standby_is_promoted_behind_its_back(cluster: &Cluster) {
    cluster.kill("pg01");
    wait_for(cluster, "kill of pg01", SERVER, "pg01 down standby, pg02 up standby, pg03 up standby");
    // It has lost the race with pgpool's own search, which takes a second.
    std::thread::sleep(Duration::from_secs(2));
    cluster.sql("pg02", "SELECT pg_promote()");
    wait_for(cluster, "promotion of pg02", SERVER, "pg01 down standby, pg02 up primary, pg03 up standby");
    wait_writable(cluster, "promotion of pg02", SLACK);
    // Docker shows what a check said when the check has ended.
    eventually("the health check to say what it did", || {
        checks(cluster).contains("make primary pg02: it is the primary, and pgpool does not know")
    });
}
