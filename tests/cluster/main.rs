//! Whole clusters in containers: started in every order, stopped, killed, robbed of their volumes.
//!
//! What is true is said by others than our own code: psql, repmgr, pgpool's SHOW POOL_NODES, pg_controldata, the kernel.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../docker/mod.rs"]
mod docker;

mod build;
mod health;
mod node;
mod reign;
mod turn;

mod empty_volume;
mod fault_points;
mod faults;
mod in_place;
mod orders;
mod probe;
mod process;
mod services;
mod stop_early;
mod volume_lock;
