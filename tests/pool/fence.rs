//! A primary that was deposed while it was frozen, and whose own health check is dead: who stops it?

use crate::belief::{INTERVAL, SERVER, SLACK, all_up, checks, wait_for};
use crate::build::Cluster;
use crate::docker::wait_until;

#[test]
fn a_thawed_primary_is_stopped_by_others() {
    let cluster = Cluster::nodes("pool-fence", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").create();
    for name in cluster.names().iter().filter(|name| *name != "pg01") {
        cluster.start(name);
    }
    cluster.run_as("pg01", &cluster.container("pg01"), &["--no-healthcheck"]);
    cluster.wait_healthy("pg01");
    let started = || cluster.inspect("pg01", "{{.RestartCount}}");
    let before = started();
    cluster.pause("pg01");
    let next = wait_until("another primary", SERVER, || cluster.successor("pg01"));
    cluster.unpause("pg01");
    wait_until("a restart of pg01", INTERVAL * 2 + SLACK, || (started() != before).then_some(()));
    assert!(
        cluster.logs("pg01").contains("received fast shutdown request"),
        "pg01 did not stop as it should{}",
        checks(&cluster)
    );
    cluster.wait_nodes_healthy(&next);
    wait_for(&cluster, "pg01 is a standby", INTERVAL * 2 + SLACK, &all_up(&next));
}
