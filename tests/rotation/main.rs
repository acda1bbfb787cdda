//! Passwords and certificates change in a running cluster, in every order: nothing acknowledged is lost, nobody is promoted for it, and
//! the old one opens nothing any more.
//!
//! What is true is said by psql on the nodes and through pgpool, pcp_node_count, openssl and grep, never by our own commands.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../cluster/build.rs"]
mod build;
#[path = "../docker/mod.rs"]
mod docker;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/probe.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod probe;
#[path = "../cluster/session.rs"]
mod session;
#[path = "../cluster/turn.rs"]
mod turn;
#[path = "../cluster/writers.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod writers;

mod in_place;
mod oracles;
mod orders;
