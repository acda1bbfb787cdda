//! pgpool's main node, the first backend in use, from which it reads first: what if pgpool has it wrong?

use crate::belief::{ALL_UP, INTERVAL, SERVER, SLACK, pcp, wait_for, wait_writable, writes};
use crate::build::{Cluster, POOL};
use crate::docker::{eventually, wait_until};

/// A client waits for an answer of the first backend while pgpool gives that one up; then the answer comes.
#[test]
fn a_backend_that_came_back_without_an_attachment_locks_nobody_out() {
    let cluster = Cluster::nodes("pool-main", 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.kill("pg01");
    let primary = wait_until("another primary", SERVER, || {
        ["pg02", "pg03"]
            .into_iter()
            .find(|node| cluster.try_sql(node, "SELECT pg_is_in_recovery()").is_ok_and(|text| text == "f"))
    });
    cluster.start("pg01");
    let well =
        ALL_UP.replace("up primary", "up standby").replace(&format!("{primary} up standby"), &format!("{primary} up primary"));
    wait_for(&cluster, "pg01 streams", SERVER, &well);
    wait_writable(&cluster, "pg01 streams", SLACK);
    let waiting = "cat /proc/[0-9]*/cmdline | grep -a -o 'pgpool: accept connection' | wc -l";
    std::thread::scope(|scope| {
        cluster.lose_connections("pg01", true);
        scope.spawn(|| writes(&cluster));
        eventually("a client that waits", || cluster.exec(POOL, &["sh", "-c", waiting]) != "0");
        pcp(&cluster, "pcp_detach_node", &["-n", "0"]).unwrap();
        eventually("pg01 down", || cluster.exec(POOL, &["head", "-n1", "/run/pgpool/pgpool_status"]) == "down");
        cluster.lose_connections("pg01", false);
    });
    let locked_out = || cluster.logs(POOL).contains("kind does not match between main(0)");
    eventually("a client that is locked out", || {
        let _ = writes(&cluster);
        locked_out()
    });
    wait_writable(&cluster, "locked out", INTERVAL * 3 + SLACK);
    wait_for(&cluster, "locked out", INTERVAL * 2 + SLACK, &well);
    wait_writable(&cluster, "all up again", SLACK);
    assert_eq!(cluster.inspect(POOL, "{{.RestartCount}}"), "0");
}
