//! What the health checks of five containers cost: three databases and two pgpools. Processor time of all of them, so that of the servers
//! that are asked, too; what Docker itself takes to start a check is not in it.

use std::time::{Duration, Instant};

use anyhow::Context;

use crate::cluster::{Cluster, NODES, node_name};
use crate::docker::try_docker;
use crate::fault::run;
use crate::figure::{Bar, Figure, Samples};
use crate::setup::Setup;

const POOLS: [&str; 2] = ["pgpool01", "pgpool02"];
const CHECKS: u32 = 50;
/// In its first minute a pgpool is looked at more closely.
const FIRST_MINUTE: Duration = Duration::from_secs(60);
/// Of the containers without checks of ours beside those that Docker makes.
const IDLE_S: u64 = 20;
/// What makes a check of pgpool a small one.
const AGREEMENT: &str = "/run/pgcluster/pool_agrees";
/// CPU time of the container: control groups of version 2, then 1.
const USAGE: &str = "cat /sys/fs/cgroup/cpu.stat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null";

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::new(setup, "bench-health");
    (1..=NODES).for_each(|node| cluster.create(node));
    cluster.start(1..=NODES);
    cluster.wait_for_peace()?;
    for pool in POOLS {
        cluster.create_pool(pool);
        cluster.start_pool(pool);
        cluster.wait_for_pool(pool)?;
    }
    let containers: Vec<String> =
        (1..=NODES).map(node_name).chain(POOLS.map(String::from)).map(|name| cluster.container_of(&name)).collect();
    std::thread::sleep(FIRST_MINUTE);
    let idle = work(&containers, &containers[0], &format!("sleep {IDLE_S}"))?;
    let idle_share = idle.cpu_s / idle.wall.as_secs_f64();
    let mut percent = 0.0;
    for container in &containers {
        let checks = work(&containers, container, &script())?;
        let of_one = (checks.cpu_s - idle_share * checks.wall.as_secs_f64()).max(0.0) / f64::from(CHECKS);
        let share = of_one / interval(container)?.as_secs_f64() * 100.0;
        eprintln!("  {container}: {:.1} ms a check, {share:.2} % of a core", of_one * 1000.0);
        percent += share;
    }
    let samples = Samples { ours: vec![percent], peer: vec![] };
    Ok(vec![Figure { what: "health checks of five containers".into(), unit: "% of a core", samples, bar: Bar::AtMost(8.0) }])
}

/// One after the other: pgpool is to be asked as often as in life, every 30 s.
fn script() -> String {
    format!("for i in $(seq {CHECKS}); do [ $((i % 8)) != 0 ] || rm -f {AGREEMENT}; pgcluster health >/dev/null || exit 1; done")
}

struct Work {
    cpu_s: f64,
    wall: Duration,
}

/// Runs a script in one container; the processor time that all of them took meanwhile.
fn work(containers: &[String], container: &str, script: &str) -> anyhow::Result<Work> {
    let usage = || containers.iter().map(|container| cpu_s(container)).sum::<anyhow::Result<f64>>();
    let (before, began) = (usage()?, Instant::now());
    run(&["exec", container, "bash", "-c", script])?;
    let wall = began.elapsed();
    Ok(Work { cpu_s: usage()? - before, wall })
}

fn cpu_s(container: &str) -> anyhow::Result<f64> {
    let shown = try_docker(&["exec", container, "sh", "-c", &format!("{USAGE}; true")]).map_err(anyhow::Error::msg)?;
    let microseconds = shown.lines().find_map(|line| line.strip_prefix("usage_usec "));
    match microseconds {
        Some(text) => Ok(text.parse::<f64>().context("read usage_usec")? / 1e6),
        None => Ok(shown.trim().parse::<f64>().with_context(|| format!("read cpuacct.usage of {container}: {shown:?}"))? / 1e9),
    }
}

/// Of the image's HEALTHCHECK.
fn interval(container: &str) -> anyhow::Result<Duration> {
    let shown = try_docker(&["inspect", "--format", "{{.Config.Healthcheck.Interval.Nanoseconds}}", container]);
    Ok(Duration::from_nanos(shown.map_err(anyhow::Error::msg)?.parse().context("read the interval of the health check")?))
}
