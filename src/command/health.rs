//! `pgcluster health`: HEALTHCHECK of both images, exit 0 or 1.

use crate::act::{health, memory};
use crate::command::block_on;
use crate::exit::Exit;
use crate::observe::environment::{self, Image};

pub fn run() -> anyhow::Result<Exit> {
    // Before anything that may fail: `doctor` asks whether it runs at all.
    let _ = memory::write_ran();
    let snapshot = environment::kept_or_own()?;
    let (healthy, lines) = match environment::image() {
        Image::Postgres => block_on(health::database(&environment::postgres_spec(&snapshot)?)),
        Image::Pgpool => block_on(health::pgpool(&environment::pgpool_spec(&snapshot)?)),
    };
    lines.iter().for_each(|line| println!("{line}"));
    Ok(if healthy { Exit::Ok } else { Exit::Failed })
}
