//! Passwords are nowhere but where they must be: a cluster lives through its worst day, and then everything that somebody could read
//! is searched for each of them, as it is and encoded.
//!
//! The search itself is proven by leaks that a test build plants: each must be found.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../docker/mod.rs"]
mod docker;

#[path = "../cluster/build.rs"]
mod build;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/turn.rs"]
mod turn;

mod forms;
mod leaks;
mod search;
mod watcher;
