//! `pgcluster bootstrap --because TEXT`: tells the waiting entrypoint of this container to begin a new cluster.

use crate::act::bootstrap_order;
use crate::exit::Exit;

pub fn run(because: &str) -> anyhow::Result<Exit> {
    bootstrap_order::give(because)?;
    println!("ordered: an entrypoint that waits here with an empty volume now begins a new cluster ({because})");
    Ok(Exit::Ok)
}
