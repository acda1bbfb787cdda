//! Secret files and certificates are changed in place, and `pgcluster reload` takes them over: no container is restarted.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::build::{Cluster, OWNER_PASSWORD, PCP_PASSWORD, POOL, REPMGR_PASSWORD};
use crate::docker::{docker, docker_output, try_docker, wait_until};
use crate::oracles::DEADLINE;
use crate::writers::Writers;

impl Cluster {
    /// What it said, and its exit code.
    fn reload(&self, name: &str, consent: &[&str]) -> (String, i32) {
        let container = self.container(name);
        let output = docker_output(&[&["exec", &container, "pgcluster", "reload"], consent].concat());
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        (said, output.status.code().unwrap_or(-1))
    }

    #[track_caller]
    fn reload_all(&self, names: &[&str]) {
        for name in names {
            let (said, code) = self.reload(name, &["--yes"]);
            assert_eq!(code, 0, "reload in {name}: {said}");
            println!("{name}: {said}");
        }
    }

    /// pcp_node_count with this password.
    fn pcp(&self, password: &str) -> Result<String, String> {
        let script = "umask 077; file=$(mktemp); printf '127.0.0.1:9898:pgpool:%s\\n' \"$PASSWORD\" >$file; \
            PCPPASSFILE=$file timeout 20 pcp_node_count -h 127.0.0.1 -p 9898 -U pgpool -w; code=$?; rm $file; exit $code";
        try_docker(&["exec", "-e", &format!("PASSWORD={password}"), &self.container(POOL), "sh", "-c", script])
    }

    /// The serial number of the certificate that a client is shown.
    fn serial(&self, name: &str) -> Option<String> {
        let address = self.address(name);
        let port = if name == POOL { "9999" } else { "5432" };
        let target = format!("{address}:{port}");
        let shown = Command::new("timeout")
            .args(["20", "openssl", "s_client", "-starttls", "postgres", "-connect", &target])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .expect("openssl is installed");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), shown.stdout).unwrap();
        let output = Command::new("openssl").args(["x509", "-noout", "-serial", "-in"]).arg(file.path()).output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().strip_prefix("serial=").map(String::from)
    }

    /// A certificate and its key, for a start or a reload to come.
    fn give_certificate(&self, serial: &str) {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = (dir.path().join("cert"), dir.path().join("key"));
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"])
            .args(["-subj", "/CN=cluster", "-set_serial", &format!("0x{serial}")])
            .arg("-keyout")
            .arg(&key)
            .arg("-out")
            .arg(&cert)
            .stderr(Stdio::null())
            .status()
            .expect("openssl is installed");
        assert!(status.success(), "openssl req: {status}");
        self.set_secret("tls.crt", &std::fs::read_to_string(cert).unwrap());
        self.set_secret("tls.key", &std::fs::read_to_string(key).unwrap());
    }

    fn starts(&self) -> BTreeMap<String, String> {
        self.names().into_iter().map(|name| (name.clone(), self.inspect(&name, "{{.State.StartedAt}}"))).collect()
    }
}

#[test]
fn files_are_taken_over_without_a_restart() {
    let wish = Cluster::nodes("in-place", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").secret_files();
    let wish = wish.env("TLS_CERT_FILE", "/run/secrets/tls.crt").env("TLS_KEY_FILE", "/run/secrets/tls.key");
    let cluster = wish.create();
    cluster.give_certificate("0A01");
    cluster.names().iter().for_each(|name| cluster.start(name));
    assert_eq!(cluster.wait_until_settled(), "pg01");
    let starts = cluster.starts();

    let writers = Writers::start(&cluster, &[POOL]);
    repmgr_password(&cluster);
    println!("{}", writers.finish().assert_kept(&cluster));
    pcp_password(&cluster);
    service_password(&cluster);
    what_is_wrong_changes_nothing(&cluster);
    assert_eq!(cluster.starts(), starts, "a container was restarted");
    certificates(&cluster);

    cluster.kill("pg01");
    wait_until("another primary", DEADLINE, || cluster.primary());
    cluster.start("pg01");
    cluster.wait_until_settled();
}

const NEW: &str = "another/repmgr:password";

fn repmgr_password(cluster: &Cluster) {
    cluster.set_secret("REPMGRPWD", NEW);
    let (said, code) = cluster.reload("pg02", &[]);
    assert_eq!(code, 3, "without --yes: {said}");
    assert!(said.contains("new passwords: repmgr") && said.contains("--yes"), "{said}");
    // The primary first: it waits for the others.
    cluster.reload_all(&["pg01"]);
    cluster.log_in("pg01", "repmgr", REPMGR_PASSWORD, "repmgr").expect("the others know no other password yet");
    cluster.reload_all(&[POOL, "pg03", "pg02"]);
    cluster.wait_until_changed(REPMGR_PASSWORD, NEW);
    cluster.wait_until_nowhere(&[REPMGR_PASSWORD]);
    assert_eq!(cluster.wait_until_settled(), "pg01");
}

fn pcp_password(cluster: &Cluster) {
    cluster.set_secret("PCPPWD", "another-pcp-password");
    // The others keep it with their environment.
    cluster.reload_all(&[POOL, "pg01", "pg02", "pg03"]);
    wait_until("the new pcp password is taken", DEADLINE, || cluster.pcp("another-pcp-password").ok());
    let refusal = cluster.pcp(PCP_PASSWORD).expect_err("the old pcp password opens nothing");
    assert!(refusal.contains("authentication failed"), "{refusal}");
    cluster.wait_until_nowhere(&[PCP_PASSWORD]);
}

fn service_password(cluster: &Cluster) {
    cluster.set_secret("MSOWNERPWDLIST", "another-owner-password");
    cluster.reload_all(&["pg01", POOL, "pg02", "pg03"]);
    for host in ["pg01", "pg02", "pg03", POOL] {
        let what = format!("{host} takes the owner's new password");
        wait_until(&what, DEADLINE, || cluster.log_in(host, "orders_owner", "another-owner-password", "phoenix").ok());
        cluster.log_in(host, "orders_owner", OWNER_PASSWORD, "phoenix").expect_err("the owner's old password opens nothing");
    }
    cluster.wait_until_nowhere(&[OWNER_PASSWORD]);
}

/// One error, and everything as before.
fn what_is_wrong_changes_nothing(cluster: &Cluster) {
    cluster.set_secret("REPMGRPWD", "");
    for name in ["pg01", POOL] {
        let (said, code) = cluster.reload(name, &["--yes"]);
        assert_eq!(code, 78, "an empty secret in {name}: {said}");
        assert!(said.contains("REPMGRPWD_FILE"), "{said}");
    }
    cluster.set_secret("REPMGRPWD", NEW);
    let before = cluster.serial("pg01");
    cluster.set_secret("tls.crt", "no certificate");
    let (said, code) = cluster.reload("pg01", &["--yes"]);
    assert_eq!(code, 1, "no certificate: {said}");
    assert_eq!(cluster.serial("pg01"), before);
    cluster.log_in("pg01", "repmgr", NEW, "repmgr").expect("nothing changed");
}

fn certificates(cluster: &Cluster) {
    cluster.give_certificate("0A02");
    let nodes: Vec<&str> = cluster.nodes.iter().map(String::as_str).collect();
    cluster.reload_all(&nodes);
    for node in &nodes {
        wait_until(&format!("{node} shows the new certificate"), DEADLINE, || {
            cluster.serial(node).filter(|serial| serial == "0A02")
        });
    }
    let (said, code) = cluster.reload(POOL, &["--yes"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("after a restart"), "{said}");
    docker(&["restart", &cluster.container(POOL)]);
    wait_until("pgpool shows the new certificate", DEADLINE, || cluster.serial(POOL).filter(|serial| serial == "0A02"));
    cluster.wait_until_settled();
}
