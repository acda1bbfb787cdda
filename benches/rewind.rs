//! What a former primary of a large database copies to come back by pg_rewind; peer: a clone of the same node.
//!
//! Bytes that its container received, as its network interface counts them. Set from outside: `PGCLUSTER_BENCH_GB` (5).
//! Takes about five times that much disk.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use nix::sys::statvfs::statvfs;
use pgcluster::command::block_on;

use crate::cluster::{Cluster, control, node_name};
use crate::docker::{docker, logs, try_docker};
use crate::fault::{Fault, run};
use crate::figure::{Bar, Figure, Samples};
use crate::setup::Setup;

/// Two nodes, asynchronous: the least that a rewind needs.
const NODES: usize = 2;
/// Of pgbench's scale 1.
const MB_PER_SCALE: f64 = 15.0;
const DISK_TIMES: f64 = 5.0;
/// Of pgbench: as many transactions as go.
const HEAVY: [&str; 3] = ["-n", "-c", "4"];
/// And 200 a second.
const LIGHT: [&str; 5] = ["-n", "-c", "4", "-R", "200"];
const CHECKPOINTS: usize = 60;
/// A standby that hears nothing for longer than 5 s counts its primary as gone.
const APART: Duration = Duration::from_secs(2);

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let gb: f64 = std::env::var("PGCLUSTER_BENCH_GB").map_or(Ok(5.0), |text| text.parse()).context("read PGCLUSTER_BENCH_GB")?;
    check_disk(gb)?;
    let cluster = Cluster::sized(setup, "bench-rewind", NODES);
    (1..=NODES).for_each(|node| cluster.create(node));
    cluster.start(1..=NODES);
    let primary = cluster.wait_for_peace()?;
    fill(&cluster, primary, gb)?;
    let standby = cluster.wait_for_peace().map(|primary| NODES + 1 - primary)?;
    let cloned = clone(&cluster, standby)?;
    let figure = |what: &str, rewound: f64, bar| Figure {
        what: format!("{gb} GB: rewind {what}, beside a clone"),
        unit: "MB",
        samples: Samples { ours: vec![rewound / 1e6], peer: vec![cloned / 1e6] },
        bar,
    };
    pgbench(&cluster, primary, &[&HEAVY[..], &["-T", "10"]].concat())?;
    let busy = rewind(&cluster, primary, &HEAVY)?;
    let primary = cluster.wait_for_peace()?;
    live(&cluster, primary)?;
    let settled = rewind(&cluster, primary, &LIGHT)?;
    Ok(vec![figure("after hours of light work", settled, Bar::TimesPeer(0.05)), figure("10 s into heavy work", busy, Bar::None)])
}

fn check_disk(gb: f64) -> anyhow::Result<()> {
    let root = try_docker(&["info", "--format", "{{.DockerRootDir}}"]).map_err(anyhow::Error::msg)?;
    let disk = statvfs(root.as_str()).with_context(|| format!("look at {root}"))?;
    let free_gb = disk.blocks_available() as f64 * disk.fragment_size() as f64 / 1e9;
    ensure!(free_gb > gb * DISK_TIMES, "{free_gb:.0} GB are free in {root}, {gb} GB of database need {:.0}", gb * DISK_TIMES);
    Ok(())
}

fn pgbench(cluster: &Cluster, node: usize, args: &[&str]) -> anyhow::Result<()> {
    let container = cluster.container(node);
    run(&[&["exec", &container, "pgbench", "-U", "postgres"], args, &["postgres"]].concat())
}

fn fill(cluster: &Cluster, node: usize, gb: f64) -> anyhow::Result<()> {
    let scale = format!("{:.0}", (gb * 1000.0 / MB_PER_SCALE).max(1.0));
    pgbench(cluster, node, &["-i", "-I", "dtGvp", "-q", "-s", &scale])
}

/// The standby anew, from an empty volume.
fn clone(cluster: &Cluster, node: usize) -> anyhow::Result<f64> {
    docker(&["rm", "-fv", &cluster.container(node)]);
    cluster.create(node);
    cluster.start([node].into_iter());
    cluster.wait_for_peace()?;
    let bytes = received(cluster, node)?;
    eprintln!("  {} cloned: {:.0} MB received", node_name(node), bytes / 1e6);
    Ok(bytes)
}

/// As in hours of light work: PostgreSQL sizes `pg_wal`, all of which pg_rewind copies, by the WAL between the last checkpoints, and
/// forgets a bulk load slowly (`UpdateCheckPointDistanceEstimate` in xlog.c).
fn live(cluster: &Cluster, primary: usize) -> anyhow::Result<()> {
    for _ in 0..CHECKPOINTS {
        pgbench(cluster, primary, &[&LIGHT[..], &["-t", "50"]].concat())?;
        // Each in its turn, as their timers do: a standby's is a restartpoint.
        for node in [primary, NODES + 1 - primary] {
            superuser(cluster, node, "CHECKPOINT")?;
        }
        superuser(cluster, primary, "SELECT pg_switch_wal()")?;
    }
    Ok(())
}

/// The primary acknowledges rows that its standby has not seen, dies, and comes back to a new primary.
fn rewind(cluster: &Cluster, old: usize, load: &[&str]) -> anyhow::Result<f64> {
    let new = NODES + 1 - old;
    superuser(cluster, old, "CHECKPOINT")?;
    // Not paused: its kernel would go on receiving, and nothing would be missing afterwards.
    Fault::Cut.inflict(cluster, new)?;
    let written = pgbench(cluster, old, &[load, &["-T", &APART.as_secs().to_string()]].concat());
    let killed = run(&["kill", &cluster.container(old)]);
    Fault::Cut.mend(cluster, new)?;
    written.and(killed)?;
    cluster.wait_for_other(old)?;
    run(&["start", &cluster.container(old)])?;
    let ((), took) = crate::view::wait(&format!("{} to stream", node_name(old)), || {
        cluster.primaries().iter().any(|primary| primary.has_streaming(old)).then_some(())
    })?;
    let bytes = received(cluster, old)?;
    let log = logs(&cluster.container(old));
    let Some(said) = log.lines().rfind(|line| line.contains("need to copy")) else { bail!("no rewind in the log:\n{log}") };
    eprintln!(
        "  {} rewound: {:.0} MB received, streaming after {:.1} s: {said}",
        node_name(old),
        bytes / 1e6,
        took.as_secs_f64()
    );
    Ok(bytes)
}

fn superuser(cluster: &Cluster, node: usize, statement: &str) -> anyhow::Result<()> {
    let host = cluster.address(&cluster.container(node)).with_context(|| format!("{} has no address", node_name(node)))?;
    block_on(async {
        let client = control(&host).connect_in_time("repmgr").await?;
        client.batch_execute(statement).await.with_context(|| format!("{statement} on {}", node_name(node)))
    })
}

/// Since the container's last start, which makes a new interface.
fn received(cluster: &Cluster, node: usize) -> anyhow::Result<f64> {
    let file = "/sys/class/net/eth0/statistics/rx_bytes";
    let bytes = try_docker(&["exec", &cluster.container(node), "cat", file]).map_err(anyhow::Error::msg)?;
    bytes.parse().context("read a byte count")
}
