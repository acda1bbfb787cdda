//! Every way in which the README tells people to start pgcluster, done as they would, beside whatever else runs on this machine.

#[path = "../docker/mod.rs"]
mod docker;

mod compose;
mod make;
mod project;
mod swarm;
mod tls;
