//! The first start of a single node with two services, from an empty volume to the first answer; peer: `initdb` and `postgres`.

use crate::figure::{Bar, Figure};
use crate::inside::{self, say};
use crate::server::ms;
use crate::setup::Setup;
use crate::single;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let samples = inside::run(setup, "first_start", setup.runs, &single::options(2))?;
    Ok(vec![Figure { what: "single node, first start".into(), unit: "ms", samples, bar: Bar::TimesPeer(1.35) }])
}

pub fn inside(runs: usize) -> anyhow::Result<()> {
    for _ in 0..runs {
        single::forget_everything()?;
        let (server, took) = single::first_start_peer()?;
        say("peer", ms(took));
        server.stop()?;
        single::forget_everything()?;
        let (server, took) = single::start_ours()?;
        say("ours", ms(took));
        server.stop()?;
    }
    Ok(())
}
