//! The restart of a single node with nothing changed, stop and start; peer: the same of a bare `postgres` with its own data.

use std::time::Instant;

use crate::figure::{Bar, Figure};
use crate::inside::{self, say};
use crate::server::ms;
use crate::setup::Setup;
use crate::single;

/// Cheap, and the difference that matters is a few milliseconds: more samples.
const MORE: usize = 3;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let samples = inside::run(setup, "restart", setup.runs * MORE, &single::options(2))?;
    Ok(vec![Figure { what: "single node, restart".into(), unit: "ms", samples, bar: Bar::TimesPeer(1.15) }])
}

pub fn inside(runs: usize) -> anyhow::Result<()> {
    single::forget_everything()?;
    single::first_start_peer()?.0.stop()?;
    single::start_ours()?.0.stop()?;
    for _ in 0..runs {
        let (server, _) = single::start_peer()?;
        let began = Instant::now();
        server.stop()?;
        let (server, _) = single::start_peer()?;
        say("peer", ms(began.elapsed()));
        server.stop()?;
        let (server, _) = single::start_ours()?;
        let began = Instant::now();
        server.stop()?;
        let (server, _) = single::start_ours()?;
        say("ours", ms(began.elapsed()));
        server.stop()?;
    }
    Ok(())
}
