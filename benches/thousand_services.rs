//! What 1,000 services (2,000 roles, 1,000 schemas) add to a first start, and to the restart at which they are new.

use std::time::{Duration, Instant};

use crate::figure::{Bar, Figure, Samples};
use crate::inside::{self, say};
use crate::server::{Server, ms};
use crate::setup::Setup;
use crate::single;

const SERVICES: usize = 1000;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let samples = inside::run(setup, "thousand_services", setup.runs.min(5), &single::options(0))?;
    // Two of each sample: first start, restart.
    let every_second = |list: &[f64], from: usize| list.iter().skip(from).step_by(2).copied().collect::<Vec<_>>();
    let figure = |what: &str, from: usize| {
        let (with, without) = (every_second(&samples.ours, from), every_second(&samples.peer, from));
        let added = with.iter().zip(without).map(|(with, without)| with - without).collect();
        let samples = Samples { ours: added, peer: vec![] };
        Figure { what: what.into(), unit: "ms", samples, bar: Bar::AtMost(5000.0) }
    };
    Ok(vec![figure("1,000 services at the first start", 0), figure("1,000 services at a restart", 1)])
}

/// `peer`: without services, `ours`: with them.
pub fn inside(runs: usize) -> anyhow::Result<()> {
    for _ in 0..runs {
        single::forget_everything()?;
        say("peer", ms(start_with(0)?));
        say("peer", ms(start_with(0)?));
        say("ours", {
            single::forget_everything()?;
            ms(start_with(SERVICES)?)
        });
        single::forget_everything()?;
        start_with(0)?;
        say("ours", ms(start_with(SERVICES)?));
    }
    Ok(())
}

fn start_with(services: usize) -> anyhow::Result<Duration> {
    let (names, passwords) = single::service_lists(services);
    let command = [
        "env".to_string(),
        format!("MSLIST={names}"),
        format!("MSOWNERPWDLIST={passwords}"),
        format!("MSUSERPWDLIST={passwords}"),
        "pgcluster".into(),
        "postgres".into(),
    ];
    let (server, took) = Server::start(&command, Instant::now())?;
    server.stop()?;
    Ok(took)
}
