//! Whole clusters in containers: started in every order, stopped, killed, robbed of their volumes.
//!
//! What is true is said by others than our own code: psql, repmgr, pgpool's SHOW POOL_NODES, pg_controldata, the kernel.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../docker/mod.rs"]
mod docker;

mod build;
mod health;
mod links;
mod node;
mod reign;
mod turn;

mod connections;
mod crashes;
mod disks;
mod empty_volume;
mod fault_points;
mod faults;
mod harness;
mod in_place;
mod names;
mod orders;
mod partitions;
mod pauses;
mod pgpool_away;
mod pgpools;
mod probe;
mod process;
mod promoters;
mod replication;
mod restarts;
mod services;
mod session;
mod soak;
mod stop_early;
mod two_nodes;
mod volume_lock;
mod writers;
