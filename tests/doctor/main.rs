//! `pgcluster doctor` among real servers: nothing to say of a healthy cluster, and each fault found as itself and nothing else.
#![allow(clippy::unwrap_used)]

#[path = "../cluster/build.rs"]
mod build;
#[path = "../docker/mod.rs"]
mod docker;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/turn.rs"]
mod turn;

mod faults;
mod patient;
