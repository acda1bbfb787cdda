//! What pgcluster costs, with the peer beside it in the same run: `make bench`, or `cargo bench -- <name>…` for some of it.
//!
//! Figures of one machine say little and differ from hour to hour; ours and the peer's are taken alternately, and the bar is about the
//! two together. A thing that is measured is one file: its name, what it measures, and what of it runs inside a container.
//!
//! Set from outside: `PGCLUSTER_BENCH_TAG` (image tag, `latest`), `PGCLUSTER_BENCH_RUNS` (samples of each, 7).

mod binary_size;
mod cluster;
mod cluster_start;
#[path = "../tests/docker/mod.rs"]
mod docker;
#[path = "../tests/render/facts.rs"]
mod facts;
mod failover;
mod fault;
mod figure;
mod first_start;
mod health_cost;
mod inside;
mod recovery;
mod rendering;
mod repmgrd;
mod restart;
mod rewind;
mod server;
mod setup;
mod single;
mod standby_restart;
mod thousand_services;
mod view;
mod writer;
mod writing;

use anyhow::Context;
use docker::files;
use figure::Figure;
use setup::Setup;

/// A thing that is measured: its name on the command line, and how.
type Bench = (&'static str, fn(&Setup) -> anyhow::Result<Vec<Figure>>);

const BENCHES: [Bench; 11] = [
    ("first_start", first_start::measure),
    ("restart", restart::measure),
    ("standby_restart", standby_restart::measure),
    ("cluster_start", cluster_start::measure),
    ("thousand_services", thousand_services::measure),
    ("rendering", rendering::measure),
    ("binary_size", binary_size::measure),
    ("failover", failover::measure),
    ("recovery", recovery::measure),
    ("rewind", rewind::measure),
    ("health_cost", health_cost::measure),
];

fn main() -> anyhow::Result<()> {
    // `cargo bench` adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let Some((inside::FLAG, rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return run_inside(rest);
    }
    let setup = Setup::read()?;
    let mut figures = Vec::new();
    for (name, measure) in BENCHES.iter().filter(|(name, _)| args.is_empty() || args.iter().any(|arg| arg == name)) {
        let load = std::fs::read_to_string("/proc/loadavg").context("read the load")?;
        eprintln!("measuring {name}; load average {}", load.split(' ').take(3).collect::<Vec<_>>().join(" "));
        figures.extend(measure(&setup).with_context(|| format!("measure {name}"))?);
    }
    print!("{}", figure::table(&figures));
    Ok(())
}

/// This program again, in a container, beside the servers that it times.
fn run_inside(args: &[String]) -> anyhow::Result<()> {
    if let Some(("writer", rest)) = args.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return writing::inside(rest);
    }
    let [name, runs] = args else { anyhow::bail!("{} takes a name and a number of runs", inside::FLAG) };
    let runs = runs.parse().context("read the number of runs")?;
    match name.as_str() {
        "first_start" => first_start::inside(runs),
        "restart" => restart::inside(runs),
        "standby_restart" => standby_restart::inside(runs),
        "thousand_services" => thousand_services::inside(runs),
        other => anyhow::bail!("nothing of {other} runs inside a container"),
    }
}
