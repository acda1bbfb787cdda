//! An operator's order to begin a new cluster, left for the waiting entrypoint of the same container.

use std::path::Path;

use crate::act::file::{self, Durability};
use crate::act::workplace::RUN_DIR;
use crate::plan::start::Order;
use crate::render::RenderedFile;

const FILE: &str = "bootstrap_order";

/// Leaves the order; it ends with the container's tmpfs.
pub fn give(because: &str) -> anyhow::Result<()> {
    let body = format!("{because}\n");
    file::write_all(&[RenderedFile { path: Path::new(RUN_DIR).join(FILE), mode: 0o600, body }], Durability::Rebuilt)?;
    Ok(())
}

pub fn read() -> Order {
    match std::fs::read_to_string(Path::new(RUN_DIR).join(FILE)) {
        Ok(because) => Order::Bootstrap { because: because.trim().into() },
        Err(_) => Order::None,
    }
}
