//! Backends that pgpool gave up, for a reason or by hand, while somebody may promote.

use std::time::Instant;

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, belief, pcp, wait_for, wait_writable};
use crate::build::{Cluster, POOL};
use crate::docker::wait_until;

#[test]
fn what_pgpool_gave_up_comes_back() {
    let began = Instant::now();
    let cluster = Cluster::nodes("pool-back", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    starts_with_all_of_them(&cluster, began);
    a_standby_that_was_stopped(&cluster);
    a_standby_that_was_detached_by_hand(&cluster);
    the_primary_that_was_detached_by_hand(&cluster);
    status_tells_the_same(&cluster);
    pgpool_itself(&cluster);
}

/// The standbys are cloning when pgpool finds the primary; it starts with them all the same.
fn starts_with_all_of_them(cluster: &Cluster, began: Instant) {
    wait_writable(cluster, "start", SERVER);
    let checked = cluster.logs(POOL).contains("received failback request");
    wait_for(cluster, "start", INTERVAL * 2 + SLACK, ALL_UP);
    eprintln!(
        "start: all up after {:.1} s, {}",
        began.elapsed().as_secs_f64(),
        if checked { "healed" } else { "from the start" }
    );
    cluster.wait_healthy("pg01");
}

fn a_standby_that_was_stopped(cluster: &Cluster) {
    cluster.stop("pg03");
    wait_for(cluster, "stop of pg03", SERVER, "pg01 up primary, pg02 up standby, pg03 down standby");
    cluster.start("pg03");
    cluster.wait_nodes_healthy("pg01");
    wait_for(cluster, "pg03 streams again", INTERVAL * 2 + SLACK, ALL_UP);
    wait_writable(cluster, "pg03 streams again", SLACK);
}

fn a_standby_that_was_detached_by_hand(cluster: &Cluster) {
    pcp(cluster, "pcp_detach_node", &["-n", "1"]).unwrap();
    wait_for(cluster, "detached pg02", INTERVAL * 2 + SLACK, ALL_UP);
}

/// pgpool runs its failover command, which finds the primary alive.
fn the_primary_that_was_detached_by_hand(cluster: &Cluster) {
    pcp(cluster, "pcp_detach_node", &["-n", "0"]).unwrap();
    wait_for(cluster, "detached pg01", SERVER, ALL_UP);
    wait_writable(cluster, "detached pg01", SLACK);
    cluster.wait_healthy("pg01");
}

fn status_tells_the_same(cluster: &Cluster) {
    let said = cluster.exec(POOL, &["pgcluster", "status", "--json"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["pgpools"], serde_json::json!([{ "name": POOL, "state": "serving", "primary": "pg01" }]));
    for node in said["nodes"].as_array().unwrap() {
        assert_eq!(node["pgpool"], serde_json::json!({ POOL: "up" }), "{node}");
    }
    assert_eq!(belief(cluster), ALL_UP);
}

/// Its own exit handlers have run while it lives, or a part of them: it cannot be repaired, only started again.
fn pgpool_itself(cluster: &Cluster) {
    // With the second names that a check gave them.
    let lose_sockets = "rm /run/pgpool/.*s.PGSQL.*";
    let lose_semaphores = "perl -ane 'semctl($F[1], 0, 0, 0) if $. > 1' /proc/sysvipc/sem";
    for (what, script) in [
        ("pgpool without its semaphores", lose_semaphores.to_string()),
        ("pgpool without its sockets", lose_sockets.to_string()),
        ("the same, and it obeys nobody", format!("kill -STOP $(cat /run/pgcluster/pgpool.pid); {lose_sockets}")),
    ] {
        let started = || cluster.inspect(POOL, "{{.RestartCount}}");
        let before = started();
        cluster.exec(POOL, &["sh", "-c", &script]);
        wait_until(&format!("{what}: started again"), INTERVAL * 3 + SLACK, || (started() != before).then_some(()));
        wait_for(cluster, what, SERVER, ALL_UP);
        wait_writable(cluster, what, SLACK);
    }
}
