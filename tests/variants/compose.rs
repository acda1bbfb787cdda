//! `docker compose -f … up -d`, through to `down --volumes`.

use std::process::Command;

use crate::docker::Scope;
use crate::docker::container::START;
use crate::docker::psql::{Login, Psql};
use crate::docker::wait_until;
use crate::project::{assert_gone, port_of, run, secret, share_machine, tag, wait_healthy, write_through_pgpool};

/// A compose project with names and ports of its own; gone when dropped.
pub struct Project<'a> {
    pub files: &'a [&'a str],
    pub name: String,
}

impl Project<'_> {
    /// The overrides are the ones that the compose files document.
    pub fn compose(&self, args: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "-p", &self.name]);
        command.args(self.files.iter().flat_map(|file| ["-f", *file])).args(args);
        let prefix = format!("{}-", self.name);
        for (name, value) in [
            ("PGCLUSTER_TAG", tag().as_str()),
            ("PGCLUSTER_PREFIX", &prefix),
            ("PGPOOL_PUBLISH", "127.0.0.1:0"),
            ("POSTGRES_PUBLISH", "127.0.0.1:0"),
        ] {
            command.env(name, value);
        }
        command
    }

    pub fn label(&self) -> String {
        format!("com.docker.compose.project={}", self.name)
    }

    pub fn up(&self) {
        secret("repmgr_password");
        run(&mut self.compose(&["up", "-d"]));
    }

    pub fn port(&self, service: &str, port: &str) -> u16 {
        port_of(&run(&mut self.compose(&["port", service, port])))
    }

    pub fn sql(&self, service: &str, statement: &str) -> String {
        let psql = ["exec", "-T", service, "psql", "-XAtqU", "postgres", "-c", statement];
        run(&mut self.compose(&psql)).trim().to_string()
    }

    pub fn remove(self) {
        run(&mut self.compose(&["down", "--volumes"]));
        assert_gone(&self.label());
    }
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "--volumes", "--timeout", "2"]).output();
    }
}

#[test]
fn three_nodes() {
    let _machine = share_machine();
    let scope = Scope::new("three");
    let project = Project { files: &["compose.yaml"], name: scope.name.clone() };
    let psql = Psql::new(&scope);
    project.up();
    write_through_pgpool(&psql, project.port("pgpool01", "9999"), 1);
    wait_healthy(&project.label(), 4);
    let standbys = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND sync_state = 'quorum'";
    wait_until("two synchronous standbys", START, || (project.sql("pg01", standbys) == "2").then_some(()));
    // The restart policy's way back: the containers are recreated, the volumes stay.
    run(&mut project.compose(&["up", "-d", "--force-recreate"]));
    write_through_pgpool(&psql, project.port("pgpool01", "9999"), 2);
    wait_healthy(&project.label(), 4);
    project.remove();
}

#[test]
fn two_nodes() {
    let _machine = share_machine();
    let scope = Scope::new("two");
    let project = Project { files: &["compose/two-nodes.yml"], name: scope.name.clone() };
    let psql = Psql::new(&scope);
    project.up();
    write_through_pgpool(&psql, project.port("pgpool01", "9999"), 1);
    wait_healthy(&project.label(), 3);
    let standby = "SELECT application_name || ' ' || sync_state FROM pg_stat_replication WHERE state = 'streaming'";
    wait_until("an asynchronous standby", START, || (project.sql("pg01", standby) == "pg02 async").then_some(()));
    assert_eq!(project.sql("pg01", "SHOW synchronous_standby_names"), "");
    project.remove();
}

#[test]
fn single() {
    let _machine = share_machine();
    let scope = Scope::new("single");
    let project = Project { files: &["compose/single.yml"], name: scope.name.clone() };
    let psql = Psql::new(&scope);
    project.up();
    let (port, password) = (project.port("postgres", "5432"), secret("postgres_password"));
    let login = Login { port, user: "postgres", password: &password, database: "postgres", options: "sslmode=require" };
    wait_until("the superuser to write", START, || psql.run(login, "CREATE TABLE kept AS SELECT 7 AS seven").ok());
    wait_healthy(&project.label(), 1);
    run(&mut project.compose(&["up", "-d", "--force-recreate"]));
    let port = project.port("postgres", "5432");
    let again = || psql.run(Login { port, ..login }, "SELECT seven FROM kept").ok();
    assert_eq!(wait_until("the superuser to read", START, again), "7");
    project.remove();
}
