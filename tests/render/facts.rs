//! What rendering needs to know of a container, for tests, benchmarks and fuzzers: 2 GiB, all nodes up.

use pgcluster::model::ParameterFloor;
use pgcluster::render::{NodeStatus, PgpoolFacts, PostgresFacts, TlsPaths};
use pgcluster::spec::Secret;

pub fn postgres_facts() -> PostgresFacts {
    PostgresFacts {
        memory_limit_bytes: Some(2 << 30),
        cpus: 4,
        tls: tls(),
        minimums: ParameterFloor::default(),
        conf_d: true,
        hba_d: vec![],
    }
}

pub fn pgpool_facts(version: (u32, u32), nodes: usize) -> PgpoolFacts {
    PgpoolFacts {
        version,
        tls: tls(),
        pool_key: Secret::new("0123456789abcdef0123456789abcdef"),
        node_status: vec![NodeStatus::Up; nodes],
        failover_command: "/usr/local/bin/pgcluster failover %d %h %p %D %m %H %M %P %r %R %N %S".into(),
        users: vec![],
    }
}

fn tls() -> TlsPaths {
    TlsPaths { cert: "/run/pgcluster/tls.crt".into(), key: "/run/pgcluster/tls.key".into(), ca: None }
}
