//! The official image's contract, kept by a single node of ours: real containers, one server each.

#[path = "../docker/mod.rs"]
mod docker;

mod contract;
mod init_scripts;
mod invocation;
mod settings;
mod volumes;

use docker::Scope;
use docker::container::{Container, Run};

const PASSWORD: &str = "s3cret: with $igns, 'quotes' \"and\" \\é";

/// A server with a password, not yet started.
fn server(scope: &Scope, name: &str) -> Run {
    Run::new(scope, name, "postgres").env("POSTGRES_PASSWORD", PASSWORD)
}

/// A login over TCP with a password: the answer, or why there is none.
fn log_in(server: &Container, user: &str, password: &str, database: &str, statement: &str) -> Result<String, String> {
    let conninfo = format!("host=127.0.0.1 user={user} dbname={database}");
    docker::try_docker(&[
        "exec",
        "-e",
        &format!("PGPASSWORD={password}"),
        &server.name,
        "psql",
        "-XAtqw",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        &conninfo,
        "-c",
        statement,
    ])
}
