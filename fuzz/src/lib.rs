//! What the targets share.

use pgcluster::model::ParameterFloor;
use pgcluster::render::{NodeStatus, PgpoolFacts, PostgresFacts, TlsPaths};
use pgcluster::spec::Secret;

/// Between the texts of one input: ASCII's record separator, so that a seed is still a text.
const SEPARATOR: char = '\u{1e}';

/// The texts of an input; those that are missing are empty.
pub fn texts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, SEPARATOR);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

fn tls() -> TlsPaths {
    TlsPaths { cert: "/run/pgcluster/tls.crt".into(), key: "/run/pgcluster/tls.key".into(), ca: None }
}

/// A database container of 2 GiB.
pub fn postgres_facts() -> PostgresFacts {
    PostgresFacts {
        memory_limit_bytes: Some(2 << 30),
        cpus: 4,
        tls: tls(),
        minimums: ParameterFloor::default(),
        conf_d: true,
        hba_d: Vec::new(),
    }
}

/// pgpool 4.6 with all nodes up.
pub fn pgpool_facts(nodes: usize) -> PgpoolFacts {
    PgpoolFacts {
        version: (4, 6),
        tls: tls(),
        pool_key: Secret::new("0123456789abcdef0123456789abcdef"),
        node_status: vec![NodeStatus::Up; nodes],
        failover_command: "pgcluster failover %d %h".into(),
        users: Vec::new(),
    }
}
