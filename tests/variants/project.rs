//! What all variants share: names of their own, the demo secrets, and a service that writes and reads.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::docker::container::START;
use crate::docker::psql::{Login, Psql};
use crate::docker::{docker, eventually, try_docker, wait_until};

/// `docker swarm init` of engine 20.10 takes the names from containers that run already: nobody runs beside it.
static MACHINE: RwLock<()> = RwLock::new(());

/// For as long as this lives there is no swarm.
pub fn share_machine() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// For as long as this lives there is nobody else.
pub fn own_machine() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub fn tag() -> String {
    std::env::var("PGCLUSTER_TEST_TAG").unwrap_or_else(|_| "test".into())
}

/// Runs a command of the repository with the overrides that keep this run apart from others; panics with what it said when it fails.
#[track_caller]
pub fn run(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.current_dir(root()).output().expect("the command can be started");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{said}");
    said
}

/// Makes the demo secrets, which are never overwritten, and reads one.
pub fn secret(name: &str) -> String {
    run(&mut Command::new("compose/make-secrets"));
    let text = std::fs::read_to_string(root().join("compose/secrets").join(name)).expect("make-secrets made it");
    text.trim_end().split(',').next().expect("at least one").to_string()
}

/// Containers that carry a label: their names.
pub fn containers(label: &str) -> Vec<String> {
    let found = docker(&["ps", "-a", "--filter", &format!("label={label}"), "--format", "{{.Names}}"]);
    found.lines().map(String::from).collect()
}

#[track_caller]
pub fn wait_healthy(label: &str, count: usize) {
    let mut last = String::new();
    eventually(&format!("{count} healthy containers of {label}"), || {
        let names = containers(label);
        let health =
            names.iter().map(|name| try_docker(&["inspect", "-f", "{{.State.Health.Status}}", name]).unwrap_or_default());
        let health: Vec<String> = health.collect();
        let now = format!("{names:?} {health:?}");
        if now != last {
            eprintln!("{now}");
            last = now;
        }
        health.len() == count && health.iter().all(|state| state == "healthy")
    });
}

/// Nothing with this label is left.
#[track_caller]
pub fn assert_gone(label: &str) {
    let filter = format!("label={label}");
    for list in [&["ps", "-aq"][..], &["volume", "ls", "-q"], &["network", "ls", "-q"]] {
        assert_eq!(docker(&[list, &["--filter", &filter]].concat()), "", "{list:?}");
    }
}

/// The demo service `orders`: its owner makes a table, its user writes and reads it.
#[track_caller]
pub fn write_through_pgpool(psql: &Psql, port: u16, rows: u32) {
    let (owner, user) = (secret("ms_owner_passwords"), secret("ms_user_passwords"));
    let as_role = |user, password, statement: &str| {
        psql.run(Login { port, user, password, database: "phoenix", options: "sslmode=require" }, statement)
    };
    wait_until("the owner to write through pgpool", START * 2, || {
        as_role("orders_owner", &owner, "CREATE TABLE IF NOT EXISTS kept (n int PRIMARY KEY)").ok()
    });
    assert_eq!(as_role("orders_user", &user, &format!("INSERT INTO kept VALUES ({rows})")), Ok(String::new()));
    // A reading may go to a standby that is a moment behind.
    eventually("the user to read all rows", || {
        as_role("orders_user", &user, "SELECT count(*) FROM kept") == Ok(rows.to_string())
    });
}

/// `127.0.0.1:32768` → 32768.
pub fn port_of(address: &str) -> u16 {
    address.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("address:port")
}
