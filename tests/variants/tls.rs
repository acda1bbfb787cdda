//! `compose/make-ca`, and the cluster with its authority: clients that verify, a failover, and a node with another's certificate.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::compose::Project;
use crate::docker::container::START;
use crate::docker::psql::Psql;
use crate::docker::{Scope, docker, eventually, try_docker, wait_until};
use crate::project::{port_of, root, run, secret, share_machine, wait_healthy, write_through_pgpool};

const AUTHORITY: &str = "/run/secrets/tls.ca";

impl Project<'_> {
    fn container(&self, service: &str) -> String {
        format!("{}-{service}", self.name)
    }

    /// psql in pg03, which is never stopped here, as a service's user and with the given authority: rows, or its complaint.
    fn verified(&self, host: &str, port: u16, authority: &str, statement: &str) -> Result<String, String> {
        let conninfo = format!(
            "host={host} port={port} user=orders_user dbname=phoenix connect_timeout=10 sslmode=verify-full sslrootcert={authority}"
        );
        let password = format!("PGPASSWORD={}", secret("ms_user_passwords"));
        try_docker(&["exec", "-e", &password, &self.container("pg03"), "psql", "-XAtqw", "-d", &conninfo, "-c", statement])
    }

    fn write(&self, row: u32) {
        let statement = format!("INSERT INTO kept VALUES ({row}) ON CONFLICT DO NOTHING");
        wait_until("a write of a client that verifies pgpool", START * 2, || {
            self.verified("pgpool01", 9999, AUTHORITY, &statement).ok()
        });
    }

    /// Node names that stream from `primary`, in order.
    fn streaming_from(&self, primary: &str) -> String {
        let names = "SELECT coalesce(string_agg(application_name, ' ' ORDER BY application_name), '') \
                     FROM pg_stat_replication WHERE state = 'streaming'";
        self.sql(primary, names)
    }

    fn pool_has_pg01(&self, state: &str) -> bool {
        let pool = self.verified("pgpool01", 9999, AUTHORITY, "SHOW POOL_NODES");
        pool.is_ok_and(|pool| pool.lines().any(|line| line.starts_with(&format!("0|pg01|5432|{state}|"))))
    }

    /// Made anew with the certificates of this directory.
    fn recreate(&self, service: &str, tls: &Path) {
        run(self.compose(&["up", "-d", "--no-deps", "--force-recreate", service]).env("PGCLUSTER_TLS_DIR", tls));
    }
}

/// What `openssl s_client` says of a certificate when asked for this name, if it accepts it.
fn s_client(address: &str, name: &str, authority: &Path) -> Result<String, String> {
    let Output { status, stdout, stderr } = Command::new("timeout")
        .args(["20", "openssl", "s_client", "-starttls", "postgres", "-connect", address, "-verify_return_error"])
        .args(["-verify_hostname", name, "-CAfile"])
        .arg(authority)
        .output()
        .expect("openssl is installed");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() { Ok(said) } else { Err(said) }
}

/// A machine that is busy may need a second try; whoever believes it is never refused.
#[track_caller]
fn refused(words: &str, ask: impl Fn() -> Result<String, String>) {
    eventually(&format!("a refusal: {words}"), || ask().is_err_and(|said| said.contains(words)));
}

#[test]
fn an_authority_of_ones_own() {
    let _machine = share_machine();
    let scope = Scope::new("tls");
    let project = Project { files: &["compose.yaml", "compose/tls.yml"], name: scope.name.clone() };
    let (psql, ours) = (Psql::new(&scope), root().join("compose/tls"));
    run(&mut Command::new("compose/make-ca"));
    project.up();
    write_through_pgpool(&psql, project.port("pgpool01", "9999"), 1);
    // Health checks and `docker exec` know the authority too.
    wait_healthy(&project.label(), 4);
    eventually("two standbys that verify their primary", || project.streaming_from("pg01") == "pg02 pg03");
    assert!(project.sql("pg02", "SHOW primary_conninfo").contains(" sslmode=verify-full sslrootcert="));
    let healthy = || try_docker(&["exec", &project.container("pg02"), "pgcluster", "status"]).ok();
    wait_until("status without a problem", START, healthy);
    project.write(2);

    let other = tempfile::tempdir().expect("a directory");
    run(Command::new("compose/make-ca").arg(other.path()));
    clients_believe_this_authority_alone(&project, &ours, other.path());

    docker(&["kill", "-s", "KILL", &project.container("pg01")]);
    project.write(3);
    a_node_of_another_authority_is_named_and_left_alone(&project, &ours, other.path());
    project.remove();
}

fn clients_believe_this_authority_alone(project: &Project, ours: &Path, other: &Path) {
    let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
    let node = format!("{}:5432", docker(&["inspect", "-f", address, &project.container("pg01")]));
    let pool = format!("127.0.0.1:{}", port_of(&run(&mut project.compose(&["port", "pgpool01", "9999"]))));
    let (ours, others) = (ours.join("ca.crt"), other.join("ca.crt"));
    for (address, name) in [(&node, "pg01"), (&pool, "pgpool01")] {
        let said = wait_until("openssl to believe", START, || s_client(address, name, &ours).ok());
        assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
        refused("hostname mismatch", || s_client(address, "elsewhere", &ours));
        refused("certificate verify failed", || s_client(address, name, &others));
    }
    let pem = std::fs::read_to_string(others).expect("make-ca made it");
    docker(&["exec", &project.container("pg03"), "sh", "-c", "printf %s \"$1\" >/tmp/other.crt", "sh", &pem]);
    for (host, port) in [("pg01", 5432), ("pgpool01", 9999)] {
        eventually("psql to believe", || project.verified(host, port, AUTHORITY, "SELECT 7") == Ok("7".into()));
        refused("certificate verify failed", || project.verified(host, port, "/tmp/other.crt", "SELECT 7"));
    }
}

/// pg01 comes back after its failover: first with a certificate, and an authority, of other people's.
fn a_node_of_another_authority_is_named_and_left_alone(project: &Project, ours: &Path, other: &Path) {
    project.recreate("pg01", other);
    let status = || match try_docker(&["exec", &project.container("pg03"), "pgcluster", "status"]) {
        Ok(said) | Err(said) => said,
    };
    let words = "node-untrusted: pg01 cannot be believed: the certificate CN=pg01";
    eventually("status to name pg01", || status().contains(words));
    let primary = if project.sql("pg02", "SELECT pg_is_in_recovery()") == "f" { "pg02" } else { "pg03" };
    assert!(!project.streaming_from(primary).contains("pg01"));
    eventually("pgpool to have pg01 down", || project.pool_has_pg01("down"));
    project.write(4);

    project.recreate("pg01", ours);
    let follows = || project.streaming_from(primary).contains("pg01");
    wait_until("pg01 to follow with its own certificate", START * 2, || follows().then_some(()));
    eventually("pgpool to use pg01 again", || project.pool_has_pg01("up"));
}

/// What is missing, and what ends soon; never what is there.
#[test]
fn make_ca_again_changes_nothing_that_lasts() {
    let dir = tempfile::tempdir().expect("a directory");
    let make = |days: &str| run(Command::new("compose/make-ca").arg(dir.path()).env("NODES", "pg01 pg02").env("DAYS", days));
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("make-ca made it");
    let files = ["ca.key", "ca.crt", "pg01.key", "pg01.crt", "pg02.key", "pg02.crt"];
    make("365");
    let first = files.map(read);
    make("365");
    assert!(files.map(read) == first, "nothing was missing");
    std::fs::remove_file(dir.path().join("pg02.crt")).expect("it is there");
    make("29");
    assert!(files[..5].iter().zip(&first).all(|(name, kept)| read(name) == *kept), "only pg02.crt was missing");
    let short = read("pg02.crt");
    make("365");
    assert_ne!(read("pg02.crt"), short, "it ended within 30 days");
    assert_eq!(read("pg01.crt"), first[3]);
    let file = |name: &str| dir.path().join(name);
    for name in ["pg01", "pg02"] {
        let mut verify = Command::new("openssl");
        verify.args(["verify", "-purpose", "sslserver", "-verify_hostname", name, "-CAfile"]).arg(file("ca.crt"));
        run(verify.arg(file(&format!("{name}.crt"))));
    }
    let mode = std::fs::metadata(file("ca.key")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o077, 0, "the authority's key is nobody else's");
}
