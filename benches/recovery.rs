//! Back from the worst: everything killed and started in the wrong order; a primary that dies while there is no pgpool; pgpool afterwards.

use std::time::Instant;

use crate::cluster::{Cluster, NODES};
use crate::fault::run;
use crate::figure::{Bar, Figure, Samples};
use crate::server::ms;
use crate::setup::Setup;
use crate::writer::Writer;

const RUNS: usize = 5;
const POOL: &str = "pgpool01";

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::new(setup, "bench-recovery");
    (1..=NODES).for_each(|node| cluster.create(node));
    cluster.create_pool(POOL);
    cluster.start(1..=NODES);
    cluster.start_pool(POOL);
    let [pooled, _] = cluster.routes(POOL);
    let mut writer = Writer::start(&cluster.scope, &setup.postgres_image(), "through_pgpool", &pooled, "o1")?;
    let [mut all, mut primary, mut pool, mut lost] = [vec![], vec![], vec![], vec![]];
    for _ in 0..setup.runs.min(RUNS) {
        all.push(all_killed(&cluster, &mut writer)?);
        let (elected, served) = without_pgpool(&cluster, &mut writer)?;
        primary.push(elected);
        pool.push(served);
        lost.push(writer.newly_lost()?);
        eprintln!(
            "  all killed {:.0} ms, no pgpool {elected:.0} ms, pgpool started {served:.0} ms, lost {lost:?}",
            all[all.len() - 1]
        );
    }
    let figure = |what: &str, unit, ours, most| Figure {
        what: what.into(),
        unit,
        samples: Samples { ours, peer: vec![] },
        bar: Bar::AtMost(most),
    };
    Ok(vec![
        figure("all killed, primary started last: first write", "ms", all, 5000.0),
        figure("primary killed without pgpool: new primary", "ms", primary, 20_000.0),
        figure("pgpool started then: first write", "ms", pool, 15_000.0),
        figure("rows lost in these, all runs", "rows", vec![lost.iter().sum()], 0.0),
    ])
}

/// From the start of the last container, the old primary's, to a write through pgpool.
fn all_killed(cluster: &Cluster, writer: &mut Writer) -> anyhow::Result<f64> {
    let old = cluster.wait_for_peace()?;
    cluster.wait_for_pool(POOL)?;
    let pool = cluster.container_of(POOL);
    let nodes: Vec<String> = (1..=NODES).map(|node| cluster.container(node)).collect();
    let all: Vec<&str> = ["kill", &pool].into_iter().chain(nodes.iter().map(String::as_str)).collect();
    run(&all)?;
    cluster.start((1..=NODES).filter(|node| *node != old));
    cluster.start_pool(POOL);
    let began = Instant::now();
    run(&["start", &cluster.container(old)])?;
    writer.wait_for_first_write()?;
    Ok(ms(began.elapsed()))
}

/// pgpool is killed, then the primary: until another node takes writes; then, from pgpool's start, until it serves.
fn without_pgpool(cluster: &Cluster, writer: &mut Writer) -> anyhow::Result<(f64, f64)> {
    let old = cluster.wait_for_peace()?;
    cluster.wait_for_pool(POOL)?;
    run(&["kill", &cluster.container_of(POOL)])?;
    let began = Instant::now();
    run(&["kill", &cluster.container(old)])?;
    cluster.wait_for_other(old)?;
    let elected = ms(began.elapsed());
    let began = Instant::now();
    cluster.start_pool(POOL);
    writer.wait_for_first_write()?;
    let served = ms(began.elapsed());
    run(&["start", &cluster.container(old)])?;
    Ok((elected, served))
}
