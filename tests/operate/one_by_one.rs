//! Commands for one node, and what they refuse.

use std::time::Duration;

use crate::build::{POOL, POSTGRES_PASSWORD};
use crate::cluster;
use crate::docker::wait_until;

/// Between two health checks of pgpool, and some more.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn orders_for_one_node() {
    let cluster = cluster("orders");
    // Plans without consent change nothing.
    for command in [&["switchover"][..], &["switchover", "--to", "pg03"], &["rejoin", "pg02"]] {
        let (said, code) = cluster.operate("pg02", command);
        assert_eq!(code, 3, "{command:?}: {said}");
        assert!(said.contains("Nothing was done"), "{said}");
    }
    cluster.wait_healthy("pg01");
    let refusals: [(&[&str], &str); 5] = [
        (&["switchover", "--to", "pg01", "--yes"], "is the primary already"),
        (&["switchover", "--to", "pg09", "--yes"], "no node is called pg09; there are pg01, pg02, pg03"),
        (&["rejoin", "pg01", "--yes"], "pg01 is the primary: pgcluster switchover hands over first"),
        (&["attach", "pg02"], "this container has no pgpool"),
        (&["promote", "--force", "--because", "test"], "Nothing was done"),
    ];
    for (command, words) in refusals {
        let (said, code) = cluster.operate("pg02", command);
        assert!(code != 0 && said.contains(words), "{command:?} exits {code}: {said}");
    }
    let (said, code) = cluster.operate("pg01", &["switchover", "--yes"]);
    assert!(code == 1 && said.contains("this container's own server is the one that stops"), "{code}: {said}");
    let said = cluster.order("pg01", &["promote", "--because", "test"]);
    assert!(said.contains("nothing to promote, pg01 is primary"), "{said}");

    // A second operator is told who the first is.
    let holds =
        "SET application_name = 'anna upgrades'; SELECT pg_advisory_lock(x'6f70657261746f72'::bigint); SELECT pg_sleep(15)";
    std::thread::scope(|scope| {
        scope.spawn(|| cluster.sql_in("pg01", "repmgr", holds));
        std::thread::sleep(Duration::from_secs(2));
        let (said, code) = cluster.operate("pg03", &["switchover", "--yes"]);
        assert!(code == 1 && said.contains("another operator is at it: anna upgrades, since"), "{code}: {said}");
    });

    // pgpool's own word on what it uses; its health check brings a healthy node back.
    let shows = |status: &str| {
        let rows = cluster.try_pool_sql("postgres", POSTGRES_PASSWORD, "postgres", "SHOW POOL_NODES").unwrap_or_default();
        rows.lines().any(|row| row.contains("pg03") && row.split('|').nth(3) == Some(status))
    };
    cluster.order(POOL, &["detach", "pg03", "--yes"]);
    wait_until("pgpool has pg03 down", SOON, || shows("down").then_some(()));
    cluster.order(POOL, &["attach", "pg03"]);
    wait_until("pgpool has pg03 up", SOON, || shows("up").then_some(()));

    let said = cluster.order("pg01", &["rejoin", "pg02", "--yes"]);
    assert!(said.contains("pg02 follows pg01"), "{said}");
    cluster.wait_healthy("pg01");
    println!("{said}");
}
