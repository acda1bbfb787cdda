//! `pgcluster watch-password`: what the health check of a pgpool leaves behind while REPMGRPWD changes. Always exits 0: as PID 1
//! pgpool takes 3 for an order to end.

use crate::act::rotation_watch;
use crate::command::block_on;
use crate::exit::Exit;
use crate::observe::environment;

pub fn run() -> anyhow::Result<Exit> {
    if let Ok(spec) = environment::kept_or_own().and_then(|snapshot| Ok(environment::pgpool_spec(&snapshot)?)) {
        let _ = block_on(rotation_watch::watch(&spec));
    }
    Ok(Exit::Ok)
}
