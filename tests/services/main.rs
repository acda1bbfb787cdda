//! Services and their roles, through pgpool, on three nodes, with passwords that hurt.
//!
//! One cluster for all: each step says what it proves, every step runs, and the failures are reported together.

#[path = "../docker/mod.rs"]
mod docker;

mod cluster;
mod oracles;
mod roles;
mod secrets;
mod strangers;
mod too_long;
mod wrong_list;

use std::panic::{AssertUnwindSafe, catch_unwind};

use cluster::Cluster;
use docker::Scope;

/// What a step proves, and how.
type Step = (&'static str, fn(&Cluster));

#[test]
fn services_through_pgpool() {
    let scope = Scope::new("services");
    let cluster = Cluster::start(&scope);
    let steps: &[Step] = &[
        ("every role of MSLIST logs in", roles::log_in),
        ("a wrong password never gets in", roles::wrong_passwords),
        ("users read and write what owners made", roles::read_and_write),
        ("users create nothing", roles::create_nothing),
        ("roles that pgpool does not know", strangers::through_tls),
        ("a pgpool with a wrong list", wrong_list::warns),
        ("the oracles agree", oracles::agree),
        ("no clear password anywhere", secrets::nowhere),
        ("all containers are healthy", |cluster| cluster.containers().for_each(|container| container.wait_healthy())),
    ];
    let failed: Vec<&str> = steps
        .iter()
        .filter(|(what, step)| {
            eprintln!("── {what}");
            catch_unwind(AssertUnwindSafe(|| step(&cluster))).is_err()
        })
        .map(|(what, _)| *what)
        .collect();
    assert!(failed.is_empty(), "failed: {failed:#?}");
}
