//! What is delivered: what the images hold, what the compose files take from them, and that values reach their real readers unharmed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "../docker/mod.rs"]
mod docker;

mod compose;
mod dice;
mod images;
mod pgpool;
mod round_trips;
