//! All connections of the primary are taken: clients are refused, the health checks are not, and nobody is promoted.

use std::time::Duration;

use crate::build::{Cluster, OWNER_PASSWORD, POOL, USER_PASSWORD};
use crate::docker::{docker, try_docker, wait_until};
use crate::health::DEADLINE;

const TAKEN: &str = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'orders_user'";

impl Cluster {
    /// Sessions of a client that opens too many of them, from pg03's container straight to pg01, for `seconds`.
    #[track_caller]
    fn take_all_connections(&self, seconds: u32) {
        let session = format!("psql 'host=pg01 dbname=phoenix user=orders_user sslmode=require' -c 'SELECT pg_sleep({seconds})'");
        let script = format!("for n in $(seq 60); do {session} & done >/dev/null 2>&1; wait");
        let password = format!("PGPASSWORD={USER_PASSWORD}");
        docker(&["exec", "-d", "-u", "50010", "-e", &password, &self.container("pg03"), "sh", "-c", &script]);
        wait_until("all connections are taken", DEADLINE, || {
            // 40, less 10 that superusers keep, less what pgpool has.
            self.sql("pg01", TAKEN).parse::<u32>().is_ok_and(|taken| taken >= 15).then_some(())
        });
    }
}

#[test]
#[ignore = "make faults"]
fn exhausted_connections_promote_nobody_and_the_health_check_goes_on() {
    let cluster = Cluster::nodes("crowd", 3).pgpool().env("FAILOVER_MODE", "auto").env("PGCONF_max_connections", "40");
    let cluster = cluster.restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    cluster.pool_owner_sql("CREATE TABLE witness (word text)");
    let reign = cluster.reign("pg01");

    cluster.take_all_connections(25);
    let refused = wait_until("a client is refused", DEADLINE, || {
        let (password, container) = (format!("PGPASSWORD={OWNER_PASSWORD}"), cluster.container("pg02"));
        let psql = ["psql", "-X", "host=pg01 dbname=phoenix user=orders_owner sslmode=require", "-c", ""];
        try_docker(&[&["exec", "-e", &password, &container], &psql[..]].concat())
            .err()
            .filter(|words| words.contains("connection slots"))
    });
    cluster.nobody_but("pg01", Duration::from_secs(15));
    let taken = cluster.sql("pg01", TAKEN);
    let health = cluster.exec("pg01", &["pgcluster", "health"]);
    let docker_says = cluster.inspect("pg01", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}");
    assert_eq!(docker_says, "healthy 0", "{health}");

    let served = cluster.wait_for_write_through(POOL, "after the crowd");
    let healed = cluster.wait_healthy("pg01");
    assert_eq!(cluster.reign("pg01"), reign, "somebody was promoted");
    println!(
        "{taken} sessions took all of 40: {}; nobody promoted, health check of pg01: {health}; writable again {served:.1?} and all well {healed:.1?} \
         after 15 s of it",
        refused.lines().next_back().unwrap_or_default()
    );
}
