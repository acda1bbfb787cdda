//! The primary dies while no pgpool runs, and pgpool starts before anybody else acts.

use std::time::Instant;

use crate::belief::{ALL_UP, SERVER, wait_for, wait_writable};
use crate::build::{Cluster, POOL};

#[test]
fn a_pgpool_that_starts_without_a_primary_makes_one() {
    let cluster = Cluster::nodes("pool-starts", 3).pgpool().env("FAILOVER_MODE", "auto").env("FAILOVER_AFTER", "300").up();
    wait_for(&cluster, "start", SERVER, ALL_UP);
    cluster.wait_healthy("pg01");
    cluster.stop(POOL);
    cluster.kill("pg01");
    let began = Instant::now();
    cluster.start(POOL);
    wait_writable(&cluster, "pgpool starts", SERVER);
    eprintln!("writable {:.1} s after the start of pgpool", began.elapsed().as_secs_f64());
    cluster.start("pg01");
    let next = if cluster.sql("pg02", "SELECT pg_is_in_recovery()") == "f" { "pg02" } else { "pg03" };
    cluster.wait_healthy(next);
}
