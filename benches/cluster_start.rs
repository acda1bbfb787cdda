//! From nothing to three nodes: from `docker start` of three new containers until the primary has two streaming standbys.

use std::time::Instant;

use crate::cluster::{Cluster, NODES};
use crate::figure::{Bar, Figure, Samples};
use crate::server::ms;
use crate::setup::Setup;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let mut samples = Samples::default();
    for _ in 0..setup.runs.min(5) {
        let cluster = Cluster::new(setup, "bench-start");
        (1..=NODES).for_each(|node| cluster.create(node));
        let began = Instant::now();
        cluster.start(1..=NODES);
        cluster.wait_until_complete()?;
        samples.ours.push(ms(began.elapsed()));
    }
    Ok(vec![Figure { what: "three nodes from nothing".into(), unit: "ms", samples, bar: Bar::AtMost(8000.0) }])
}
