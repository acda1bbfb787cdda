//! A primary is lost while two clients write every 10 ms, one through pgpool, one with all nodes and `target_session_attrs=read-write`:
//! the longest gap that each saw until the old primary streams again, how long that took, and the rows that were acknowledged and lost.
//!
//! Peer: repmgr with repmgrd, three nodes of the same image, its primary killed in the same way. Set from outside:
//! `PGCLUSTER_BENCH_FAULTS` and `PGCLUSTER_BENCH_MODES` (words, to measure some only).

use std::time::{Duration, Instant};

use crate::cluster::{Cluster, NODES, node_name};
use crate::docker::docker_output;
use crate::fault::Fault;
use crate::figure::{Bar, Figure, Samples};
use crate::repmgrd;
use crate::server::ms;
use crate::setup::{Setup, is_chosen};
use crate::writer::{Route, Writer};

const RUNS: usize = 5;
const POOL: &str = "pgpool01";
const MODES: [&str; 2] = ["sync", "async"];
/// After pgpool has attached a node: for a second it does nothing else (`exec_notice_pcp_child`), then its idle children are forked anew,
/// which is not what is measured here.
const SETTLE: Duration = Duration::from_secs(3);
/// Steps through the phases of the health checks, which run every 4 and 5 s.
const PHASE: Duration = Duration::from_millis(700);

/// Samples of one fault in one mode.
#[derive(Default)]
struct Tally {
    through_pgpool: Vec<f64>,
    direct: Vec<f64>,
    streaming: Vec<f64>,
    lost: Vec<f64>,
}

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for mode in MODES.into_iter().filter(|mode| is_chosen("PGCLUSTER_BENCH_MODES", mode)) {
        let mut bench = Bench::start(setup, mode)?;
        for fault in Fault::ALL.into_iter().filter(|fault| is_chosen("PGCLUSTER_BENCH_FAULTS", fault.name())) {
            if fault == Fault::Switchover && !knows_switchover(setup) {
                eprintln!("  {mode} switchover: this image has no such command");
                continue;
            }
            let mut tally = Tally::default();
            for run in 1..=setup.runs.min(RUNS) {
                let before = tally.streaming.len();
                if let Err(error) = bench.one(fault, SETTLE + PHASE * run as u32, &mut tally) {
                    eprintln!("  {mode} {} {run}: {error:#}", fault.name());
                    bench = Bench::start(setup, mode)?;
                } else if let [.., streaming] = tally.streaming[before..] {
                    eprintln!("  {mode} {} {run}: the old primary streams after {streaming:.0} ms", fault.name());
                }
            }
            figures.extend(tally.figures(mode, fault));
        }
    }
    if is_chosen("PGCLUSTER_BENCH_FAULTS", Fault::Kill.name()) && is_chosen("PGCLUSTER_BENCH_MODES", "async") {
        let peer = repmgrd::gaps_ms(setup)?;
        // Asynchronous as repmgr sets it up, and without a pooler.
        figures.iter_mut().filter(|figure| figure.what == what("async", Fault::Kill, "libpq")).for_each(|figure| {
            figure.samples.peer.clone_from(&peer);
        });
    }
    Ok(figures)
}

fn what(mode: &str, fault: Fault, measured: &str) -> String {
    format!("{} {mode}: {measured}", fault.name())
}

fn knows_switchover(setup: &Setup) -> bool {
    let image = setup.postgres_image();
    let help = ["run", "--rm", "--network=none", "--entrypoint", "pgcluster", &image, "switchover", "--help"];
    docker_output(&help).status.success()
}

/// A cluster and its two clients.
struct Bench {
    // Before the cluster, whose end removes the network.
    through_pgpool: Writer,
    direct: Writer,
    cluster: Cluster,
}

impl Bench {
    fn start(setup: &Setup, mode: &str) -> anyhow::Result<Bench> {
        let cluster = Cluster::new(setup, &format!("bench-failover-{mode}")).env("REPLICATION_MODE", mode);
        (1..=NODES).for_each(|node| cluster.create(node));
        cluster.create_pool(POOL);
        cluster.start(1..=NODES);
        cluster.start_pool(POOL);
        let [pooled, direct] = cluster.routes(POOL);
        let image = setup.postgres_image();
        let start = |name: &str, route: &Route| Writer::start(&cluster.scope, &image, name, route, "o1");
        let (through_pgpool, direct) = (start("through_pgpool", &pooled)?, start("direct", &direct)?);
        Ok(Bench { through_pgpool, direct, cluster })
    }

    fn one(&mut self, fault: Fault, phase: Duration, tally: &mut Tally) -> anyhow::Result<()> {
        let old = self.cluster.wait_for_peace()?;
        self.cluster.wait_for_pool(POOL)?;
        std::thread::sleep(phase);
        self.through_pgpool.mark()?;
        self.direct.mark()?;
        let mut began = Instant::now();
        fault.inflict(&self.cluster, old)?;
        self.through_pgpool.wait_for_writes()?;
        self.direct.wait_for_writes()?;
        if !fault.mends_itself() {
            self.cluster.wait_for_other(old)?;
            fault.mend(&self.cluster, old)?;
            began = Instant::now();
        }
        let (upstream, _) = self.cluster.wait_for_streaming(old)?;
        match upstream {
            Some(_) => tally.streaming.push(ms(began.elapsed())),
            None => eprintln!("  {}: {} stayed primary", fault.name(), node_name(old)),
        }
        self.through_pgpool.wait_for_writes()?;
        self.direct.wait_for_writes()?;
        let (pooled, direct) = (self.through_pgpool.gap_ms()?, self.direct.gap_ms()?);
        let lost = self.through_pgpool.newly_lost()? + self.direct.newly_lost()?;
        eprintln!(
            "  {} of {}: gap {pooled:.0} ms through pgpool, {direct:.0} ms libpq, {lost} rows lost",
            fault.name(),
            node_name(old)
        );
        tally.through_pgpool.push(pooled);
        tally.direct.push(direct);
        tally.lost.push(lost);
        Ok(())
    }
}

impl Tally {
    fn figures(self, mode: &str, fault: Fault) -> [Figure; 4] {
        let figure = |measured: &str, unit, ours, bar| Figure {
            what: what(mode, fault, measured),
            unit,
            samples: Samples { ours, peer: vec![] },
            bar,
        };
        let (sync, asynchronous) = fault.gap_bar();
        let (gap, lost) = match mode {
            "sync" => (Bar::AtMost(sync), Bar::AtMost(0.0)),
            _ => (Bar::AtMost(asynchronous), Bar::None),
        };
        [
            figure("through pgpool", "ms", self.through_pgpool, gap),
            figure("libpq", "ms", self.direct, gap),
            figure("old primary streams", "ms", self.streaming, Bar::AtMost(fault.return_bar())),
            figure("rows lost, all runs", "rows", vec![self.lost.iter().sum()], lost),
        ]
    }
}
