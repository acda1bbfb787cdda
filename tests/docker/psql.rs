//! A client as users have it: real psql on the host's network, one container for a whole test.

use super::container::{Container, Run};
use super::{Scope, try_docker};

pub struct Psql(Container);

/// How a login is made; libpq's own words.
#[derive(Clone, Copy)]
pub struct Login<'a> {
    pub port: u16,
    pub user: &'a str,
    pub password: &'a str,
    pub database: &'a str,
    /// `sslmode`, `require_auth`, …
    pub options: &'a str,
}

impl Psql {
    pub fn new(scope: &Scope) -> Psql {
        let run = Run::new(scope, "psql", "postgres").option("--network", "host").flag("--no-healthcheck").flag("--init");
        Psql(run.args(&["sleep", "infinity"]).start())
    }

    /// Rows, fields separated by `|`; or what psql complained about.
    pub fn run(&self, login: Login, statement: &str) -> Result<String, String> {
        let Login { port, user, password, database, options } = login;
        let conninfo = format!("host=127.0.0.1 port={port} user='{user}' dbname='{database}' connect_timeout=10 {options}");
        let password = format!("PGPASSWORD={password}");
        let psql = ["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", &conninfo, "-c", statement];
        try_docker(&[&["exec", "-e", &password, &self.0.name], &psql[..]].concat())
    }
}
