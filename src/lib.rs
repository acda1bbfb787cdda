//! pgcluster: PID 1, failover command, health check and diagnostics of a highly available PostgreSQL in containers.
//!
//! The way through it is one-directional:
//! `env → spec (valid wishes) → observe (what is there) → plan (pure decision) → act (I/O) → exec the server`.

pub mod act;
pub mod cli;
pub mod command;
pub mod exit;
pub mod link;
pub mod model;
pub mod observe;
pub mod pcp;
pub mod plan;
pub mod render;
pub mod spec;
