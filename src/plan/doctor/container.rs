//! How the containers are run: init, shared memory, secrets, files.

use super::{Check, Scope, codes, server};
use crate::model::Checkup;
use crate::render::text::bytes;

pub const CHECKS: &[Check] = &[
    Check::new(codes::NO_INIT, Scope::Cluster, init),
    Check::new(codes::ORPHANS, Scope::Cluster, orphans),
    Check::new(codes::HEALTH_SILENT, Scope::Cluster, health),
    Check::new(codes::SHM_SMALL, Scope::Database, shm),
    Check::new(codes::SECRET_IN_ENVIRONMENT, Scope::Cluster, secrets),
    Check::new(codes::FILE_MODE, Scope::Cluster, modes),
];

/// Twelve health checks, and their longest timeout six times over.
const HEALTH_S: u64 = 60;
/// Docker's default is 64 MB.
const SHM_BYTES: u64 = 100 << 20;

fn init(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| (server.pid1 == "postgres").then(|| format!("{}: process 1 is postgres", node.name)))
}

fn orphans(checkup: &Checkup) -> Vec<String> {
    let orphans = &checkup.here.orphans;
    (!orphans.is_empty()).then(|| format!("this container: {}", orphans.join(", "))).into_iter().collect()
}

fn health(checkup: &Checkup) -> Vec<String> {
    let silent_s = checkup.here.health_silent_s;
    (silent_s > HEALTH_S).then(|| format!("this container: no health check for {silent_s} s")).into_iter().collect()
}

fn shm(checkup: &Checkup) -> Vec<String> {
    let Some(here) = &checkup.here.database else { return Vec::new() };
    (here.shm_bytes < SHM_BYTES).then(|| format!("{}: /dev/shm has {}", here.name, bytes(here.shm_bytes))).into_iter().collect()
}

fn secrets(checkup: &Checkup) -> Vec<String> {
    let names = &checkup.here.plain_secrets;
    (!names.is_empty()).then(|| format!("this container: {}", names.join(", "))).into_iter().collect()
}

fn modes(checkup: &Checkup) -> Vec<String> {
    checkup.here.loose_files.clone()
}
