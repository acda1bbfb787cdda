//! pgpool's main node, the first backend in use, from which it reads first: what if pgpool has it wrong?

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, all_up, checks, pcp, wait_for, wait_writable, writes};
use crate::build::{Cluster, POOL};
use crate::docker::{eventually, wait_until};

/// A child's first packet to pgpool's first backend is lost, and repeated after pgpool has given that backend up.
#[test]
fn a_backend_that_came_back_without_an_attachment_locks_nobody_out() {
    let cluster = Cluster::nodes("pool-main", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.kill("pg01");
    let primary = wait_until("another primary", SERVER, || cluster.primary());
    cluster.start("pg01");
    let well = all_up(&primary);
    wait_for(&cluster, "pg01 streams", SERVER, &well);
    wait_writable(&cluster, "pg01 streams", SLACK);
    // A check that attaches pg01 before the packet is repeated makes all well.
    let is_provoked = (0..5).any(|_| {
        lose_the_first_packet(&cluster);
        is_locked_out(&cluster) || {
            wait_for(&cluster, "not locked out", INTERVAL * 2 + SLACK, &well);
            false
        }
    });
    assert!(is_provoked, "nobody was locked out{}", checks(&cluster));
    wait_writable(&cluster, "locked out", INTERVAL * 3 + SLACK);
    wait_for(&cluster, "locked out", INTERVAL * 2 + SLACK, &well);
    wait_writable(&cluster, "all up again", SLACK);
    assert_eq!(cluster.inspect(POOL, "{{.RestartCount}}"), "0");
}

/// A child takes a second or three to connect to pg01, and meanwhile pgpool gives pg01 up. Right after a check, so that none comes between.
fn lose_the_first_packet(cluster: &Cluster) {
    let waiting = "cat /proc/[0-9]*/cmdline | grep -a -o 'pgpool: accept connection' | wc -l";
    let before = checks(cluster);
    eventually("a check", || checks(cluster) != before);
    std::thread::scope(|scope| {
        cluster.lose_connections("pg01", true);
        scope.spawn(|| writes(cluster));
        eventually("a client that waits", || cluster.exec(POOL, &["sh", "-c", waiting]) != "0");
        pcp(cluster, "pcp_detach_node", &["-n", "0"]).unwrap();
        eventually("pg01 down", || cluster.exec(POOL, &["head", "-n1", "/run/pgpool/pgpool_status"]) == "down");
        cluster.lose_connections("pg01", false);
    });
}

fn is_locked_out(cluster: &Cluster) -> bool {
    !writes(cluster) && cluster.logs(POOL).contains("kind does not match between main(0)")
}
