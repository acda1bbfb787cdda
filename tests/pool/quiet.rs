//! The logs of a cluster in which nothing happens.

use std::time::Duration;

use crate::build::{Cluster, POOL};

/// Several checks of each container, and of pgpool itself.
const CALM: Duration = Duration::from_secs(16);
/// What PostgreSQL says of a client that went without a word.
const RUDE: [&str; 4] =
    ["Connection reset by peer", "Broken pipe", "connection to client lost", "unexpected EOF on client connection"];

#[test]
fn our_checks_say_goodbye_to_every_server() {
    let cluster = Cluster::nodes("pool-quiet", 3).pgpool().env("FAILOVER_MODE", "auto").up();
    cluster.wait_healthy("pg01");
    std::thread::sleep(CALM);
    let since = format!("{}s", CALM.as_secs());
    for name in ["pg01", "pg02", "pg03", POOL] {
        let log = cluster.logs_since(name, &since);
        let rude: Vec<&str> = log.lines().filter(|line| RUDE.iter().any(|word| line.contains(word))).collect();
        assert!(rude.is_empty(), "{name} in {since} of calm:\n{}", rude.join("\n"));
    }
}
