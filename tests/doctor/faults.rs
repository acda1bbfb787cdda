//! Faults of one shared cluster: put in, found, taken out.

use std::time::Duration;

use crate::build::{POOL, REPMGR_PASSWORD};
use crate::patient::Patient;

/// A fault of a server: SQL that makes it, SQL that takes it away; both are followed by a reload.
struct Wrong {
    code: &'static str,
    node: &'static str,
    make: &'static [&'static str],
    undo: &'static [&'static str],
}

const BY_SQL: &[Wrong] = &[
    setting("crash-restart", "pg02", &["ALTER SYSTEM SET restart_after_crash = on"], &["ALTER SYSTEM RESET restart_after_crash"]),
    setting(
        "silence-unseen",
        "pg03",
        &["ALTER SYSTEM SET wal_receiver_timeout = 0"],
        &["ALTER SYSTEM RESET wal_receiver_timeout"],
    ),
    setting(
        "slot-unbounded",
        "pg01",
        &["ALTER SYSTEM SET max_slot_wal_keep_size = -1"],
        &["ALTER SYSTEM RESET max_slot_wal_keep_size"],
    ),
    setting("statements-logged", "pg01", &["ALTER SYSTEM SET log_statement = 'ddl'"], &["ALTER SYSTEM RESET log_statement"]),
    setting(
        "passwords-md5",
        "pg02",
        &["ALTER SYSTEM SET password_encryption = 'md5'"],
        &["ALTER SYSTEM RESET password_encryption"],
    ),
    setting(
        "commit-not-sync",
        "pg01",
        &["ALTER SYSTEM SET synchronous_commit = 'local'"],
        &["ALTER SYSTEM RESET synchronous_commit"],
    ),
    setting("fsync-off", "pg02", &["ALTER SYSTEM SET full_page_writes = off"], &["ALTER SYSTEM RESET full_page_writes"]),
    setting("pending-restart", "pg03", &["ALTER SYSTEM SET wal_log_hints = off"], &["ALTER SYSTEM RESET wal_log_hints"]),
    setting(
        "list-differs",
        "pg03",
        &["ALTER SYSTEM SET pgcluster.nodes = '0:pg01:5432'"],
        &["ALTER SYSTEM RESET pgcluster.nodes"],
    ),
    setting(
        "role-md5",
        "pg01",
        &["SET password_encryption = 'md5'", "CREATE ROLE old LOGIN PASSWORD 'md5-Secret-6'"],
        &["DROP ROLE old"],
    ),
    setting("superuser-extra", "pg01", &["CREATE ROLE admin SUPERUSER"], &["DROP ROLE admin"]),
    setting(
        "slot-stranger",
        "pg01",
        &["SELECT pg_create_physical_replication_slot('debezium', true)"],
        &["SELECT pg_drop_replication_slot('debezium')"],
    ),
    setting(
        "collation-changed",
        "pg01",
        &["UPDATE pg_database SET datcollversion = '1.0' WHERE datname = 'phoenix'"],
        &["ALTER DATABASE phoenix REFRESH COLLATION VERSION"],
    ),
];

const fn setting(code: &'static str, node: &'static str, make: &'static [&'static str], undo: &'static [&'static str]) -> Wrong {
    Wrong { code, node, make, undo }
}

/// A line at the end of a file on the tmpfs of a container, which is then put back as it was.
const BY_FILE: &[(&str, &str, &str, &str)] = &[
    ("hba-trust", "pg02", "/etc/pgcluster/pg_hba.conf", "hostssl all nobody 10.9.9.9/32 trust"),
    ("hba-weak", "pg03", "/etc/pgcluster/pg_hba.conf", "hostssl all nobody 10.9.9.9/32 md5"),
    ("hba-open", "pg01", "/etc/pgcluster/pg_hba.conf", "hostssl all nobody all scram-sha-256"),
    ("hba-plain", "pg02", "/etc/pgcluster/pg_hba.conf", "host all nobody 10.9.9.9/32 scram-sha-256"),
    ("hba-error", "pg03", "/etc/pgcluster/pg_hba.conf", "hostssl all nobody nowhere"),
    ("pool-sr-check", POOL, "/etc/pgpool-II/pgpool.conf", "sr_check_period = 10"),
    ("pool-failback", POOL, "/etc/pgpool-II/pgpool.conf", "auto_failback = on"),
    ("pool-slow", POOL, "/etc/pgpool-II/pgpool.conf", "failover_on_backend_error = off"),
    ("pool-cache", POOL, "/etc/pgpool-II/pgpool.conf", "memory_cache_enabled = on"),
    ("pool-children", POOL, "/etc/pgpool-II/pgpool.conf", "max_pool = 40"),
    ("pool-pcp-open", POOL, "/etc/pgpool-II/pgpool.conf", "pcp_listen_addresses = '*'"),
    ("pool-trust", POOL, "/etc/pgpool-II/pool_hba.conf", "host all nobody 10.9.9.9/32 trust"),
];

/// A minute without a health check, and some more.
const SILENCE: Duration = Duration::from_secs(120);

#[test]
fn each_fault_is_found_and_nothing_else() {
    let patient = Patient::admit("doctor");
    for container in patient.cluster.names() {
        patient.expect(&container, &[]);
    }
    for wrong in BY_SQL {
        by_sql(&patient, wrong);
    }
    for (code, container, path, line) in BY_FILE {
        by_file(&patient, code, container, path, line);
    }
    file_mode(&patient);
    orphan(&patient);
    certificate(&patient);
    // What was taken out is gone.
    for container in patient.cluster.names() {
        patient.expect(&container, &[]);
    }
    container_of_its_own(&patient);
}

/// Whoever asks: pg01 of itself and of others.
fn by_sql(patient: &Patient, wrong: &Wrong) {
    let run = |statements: &[&str]| {
        let mut line: Vec<&str> = vec!["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres"];
        line.extend(statements.iter().flat_map(|statement| ["-c", *statement]));
        patient.cluster.exec(wrong.node, &[line.as_slice(), &["-c", "SELECT pg_reload_conf()"]].concat());
    };
    run(wrong.make);
    eprintln!("{}: made on {}", wrong.code, wrong.node);
    patient.expect("pg01", &[wrong.code]);
    run(wrong.undo);
    patient.expect("pg01", &[]);
}

fn by_file(patient: &Patient, code: &str, container: &str, path: &str, line: &str) {
    let reload = || {
        if container != POOL {
            patient.cluster.sql(container, "SELECT pg_reload_conf()");
        }
    };
    patient.cluster.exec(container, &["sh", "-c", &format!("cp -p {path} /tmp/kept && echo \"{line}\" >> {path}")]);
    reload();
    eprintln!("{code}: made in {container}");
    patient.expect(container, &[code]);
    patient.cluster.exec(container, &["sh", "-c", &format!("cat /tmp/kept > {path}")]);
    reload();
    patient.expect(container, &[]);
}

fn file_mode(patient: &Patient) {
    patient.cluster.exec("pg02", &["chmod", "0644", "/run/pgcluster/pgpass"]);
    patient.expect("pg02", &["file-mode"]);
    patient.cluster.exec("pg02", &["chmod", "0600", "/run/pgcluster/pgpass"]);
    patient.expect("pg02", &[]);
}

/// A program whose shell has ended.
fn orphan(patient: &Patient) {
    let pid = patient.cluster.exec("pg02", &["sh", "-c", "setsid sleep 300 </dev/null >/dev/null 2>&1 & echo $!"]);
    patient.expect("pg02", &["orphans"]);
    patient.cluster.exec("pg02", &["sh", "-c", &format!("kill {pid}")]);
    patient.expect("pg02", &[]);
}

/// A certificate that ended, in place of the one that the node made for itself. Nodes do not verify it: SCRAM binds to its key.
fn certificate(patient: &Patient) {
    let own = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["pg03".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 31);
    let old = params.self_signed(&own).unwrap();
    let [cert, key] = ["ssl_cert_file", "ssl_key_file"].map(|name| patient.cluster.sql("pg03", &format!("SHOW {name}")));
    let write = |path: &str, text: &str| {
        patient.cluster.exec("pg03", &["sh", "-c", &format!("cat > {path} <<'END'\n{text}\nEND")]);
    };
    let kept = [&cert, &key].map(|path| patient.cluster.exec("pg03", &["cat", path]));
    write(&cert, &old.pem());
    write(&key, &own.serialize_pem());
    patient.cluster.sql("pg03", "SELECT pg_reload_conf()");
    patient.expect("pg01", &["certificate-ends"]);
    write(&cert, &kept[0]);
    write(&key, &kept[1]);
    patient.cluster.sql("pg03", "SELECT pg_reload_conf()");
    patient.expect("pg01", &[]);
}

/// A standby away, then run as people run it who copy half of the compose file.
fn container_of_its_own(patient: &Patient) {
    patient.cluster.stop("pg03");
    patient.expect("pg01", &["name-unresolved"]);
    patient.cluster.remove_container("pg03");
    let password = format!("--env=REPMGRPWD={REPMGR_PASSWORD}");
    // The last of equal options wins.
    let more = ["--init=false", "--no-healthcheck", "--shm-size=64m", "--env=REPMGRPWD_FILE=", &password];
    patient.cluster.run_as("pg03", &patient.cluster.container("pg03"), &more);
    patient.cluster.wait_healthy("pg01");
    patient.expect("pg01", &["no-init"]);
    patient.expect_within(SILENCE, "pg03", &["health-silent", "no-init", "secret-in-environment", "shm-small"]);
}
