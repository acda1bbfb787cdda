//! The restart of a standby in a healthy cluster of three, stop and start; peer: `postgres` alone, with the same data and configuration.

use std::time::Instant;

use anyhow::Context;

use crate::cluster::{Cluster, wait_until_complete};
use crate::figure::{Bar, Figure};
use crate::inside::{self, say};
use crate::server::{Server, ms};
use crate::setup::Setup;

pub fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::new(setup, "bench-standby");
    for node in [1, 2] {
        cluster.create(node);
    }
    cluster.start(1..=2);
    let samples = inside::run(setup, "standby_restart", setup.runs * 2, &cluster.options(3))?;
    Ok(vec![Figure { what: "standby of three, restart".into(), unit: "ms", samples, bar: Bar::MoreThanPeer(60.0) }])
}

pub fn inside(runs: usize) -> anyhow::Result<()> {
    let data = std::env::var("PGDATA").context("read PGDATA")?;
    let ours = ["pgcluster".to_string(), "postgres".into()];
    let peer = ["postgres".to_string(), "-D".into(), data];
    let (mut server, _) = Server::start(&ours, Instant::now())?;
    wait_until_complete("pg01")?;
    for _ in 0..runs {
        for (whose, command) in [("peer", &peer[..]), ("ours", &ours)] {
            let began = Instant::now();
            server.stop()?;
            server = Server::start(command, Instant::now())?.0;
            say(whose, ms(began.elapsed()));
        }
    }
    server.stop()
}
