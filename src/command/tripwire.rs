//! `pgcluster tripwire`: what the health check of a pgpool leaves behind. Always exits 0: as PID 1 pgpool takes 3 for an order to end.

use crate::act::tripwire;
use crate::command::block_on;
use crate::exit::Exit;
use crate::observe::environment;

pub fn run() -> anyhow::Result<Exit> {
    if let Ok(spec) = environment::kept_or_own().and_then(|snapshot| Ok(environment::pgpool_spec(&snapshot)?)) {
        let _ = block_on(tripwire::hold(&spec));
    }
    Ok(Exit::Ok)
}
