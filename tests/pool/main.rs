//! A pgpool among real servers: what it gives up comes back, and what it is told is true.
//!
//! What pgpool believes is said by its own `pcp_node_info` and `SHOW POOL_NODES`.
#![allow(clippy::unwrap_used)]

#[path = "../cluster/build.rs"]
mod build;
#[path = "../docker/mod.rs"]
mod docker;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/session.rs"]
mod session;
#[path = "../cluster/turn.rs"]
mod turn;

mod belief;
mod children;
mod client;
mod comes_back;
mod fence;
mod frozen;
mod guard;
mod half_way;
mod main_node;
mod primary;
mod quiet;
mod starts;
mod tripwire;
