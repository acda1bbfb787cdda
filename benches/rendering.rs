//! Every file of both containers, rendered from the environment of compose.yaml.

use std::time::Instant;

use pgcluster::render::{pgpool_files, postgres_files};
use pgcluster::spec::{HostFacts, RawEnv, Snapshot, pgpool_spec, postgres_spec};

use crate::facts::{pgpool_facts, postgres_facts};
use crate::figure::{Bar, Figure, Samples};
use crate::server::ms;
use crate::setup::Setup;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let postgres = postgres_spec(&RawEnv::read(&snapshot("NODE_NAME", "pg01")), &host("pg01"))?;
    let pgpool = pgpool_spec(&RawEnv::read(&snapshot("PGP_NODE_NAME", "pgpool01")), &host("pgpool01"))?;
    let mut samples = Samples::default();
    for _ in 0..setup.runs * 3 {
        let began = Instant::now();
        let of_pgpool = pgpool_facts((4, 6), pgpool.cluster.nodes.len());
        let files = postgres_files(&postgres, &postgres_facts())?.len() + pgpool_files(&pgpool, &of_pgpool)?.len();
        samples.ours.push(ms(began.elapsed()));
        std::hint::black_box(files);
    }
    Ok(vec![Figure { what: "rendering every file".into(), unit: "ms", samples, bar: Bar::AtMost(10.0) }])
}

fn host(name: &str) -> HostFacts {
    HostFacts { host_name: name.into() }
}

fn snapshot(who: &str, name: &str) -> Snapshot {
    let list = (0..3).map(|number| format!("{number}:pg{:02}:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER", number + 1));
    let vars = [
        ("PG_BACKEND_NODE_LIST", list.collect::<Vec<_>>().join(",")),
        (who, name.into()),
        ("REPMGRPWD", "rep123".into()),
        ("POSTGRES_PASSWORD", "pg123".into()),
        ("PCPPWD", "pcp123".into()),
        ("MSLIST", "orders,billing".into()),
        ("MSOWNERPWDLIST", "o1,b1".into()),
        ("MSUSERPWDLIST", "o2,b2".into()),
    ];
    Snapshot { vars: vars.map(|(name, value)| (name.to_string(), value)).into(), ..Snapshot::default() }
}
