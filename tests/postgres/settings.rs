//! Parameters from everywhere, and the container's own limits.

use crate::docker::Scope;
use crate::docker::files::Files;
use crate::{PASSWORD, log_in, server};

fn show(server: &crate::docker::container::Container, names: &[&str]) -> String {
    let list: Vec<String> = names.iter().map(|name| format!("current_setting('{name}')")).collect();
    server.sql("postgres", &format!("SELECT {}", list.join(", ")))
}

#[test]
fn generated_then_conf_d_then_pgconf_then_arguments() {
    let scope = Scope::new("settings");
    let files = Files::new();
    files.write("10-memory.conf", "work_mem = 11MB\nmaintenance_work_mem = 33MB\nlog_checkpoints = off\n");
    files.write("20-later.conf", "maintenance_work_mem = 44MB\n");
    files.write("ignored.txt", "work_mem = nonsense\n");
    let server = server(&scope, "pg")
        .volume(files.at("/etc/pgcluster/conf.d"))
        .env("PGCONF_work_mem", "22MB")
        .env("PGCONF_log_min_duration_statement", "250")
        .env("PGCONF_my.setting", "it's 1")
        .env("PGCONF_log_min_duration_sample", "100")
        .args(&["-c", "log_min_duration_sample=50"])
        .start();
    server.wait_ready();
    let names = [
        "work_mem",
        "maintenance_work_mem",
        "log_checkpoints",
        "log_min_duration_statement",
        "my.setting",
        "log_min_duration_sample",
    ];
    assert_eq!(show(&server, &names), "22MB|44MB|off|250ms|it's 1|50ms");
}

#[test]
fn parameters_that_pgcluster_owns_are_refused_with_the_reason() {
    let scope = Scope::new("owned");
    let refusal = server(&scope, "env").env("PGCONF_fsync", "off").env("PGCONF_hba_file", "/tmp/hba").refusal();
    assert_eq!(refusal.code, 78);
    refusal.says(&["PGCONF_fsync", "PGCONF_hba_file", "hint:"]);
    let files = Files::new();
    files.write("mine.conf", "work_mem = 8MB\nrestart_after_crash = on\n");
    let refusal = server(&scope, "conf").volume(files.at("/etc/pgcluster/conf.d")).refusal();
    refusal.says(&["/etc/pgcluster/conf.d/mine.conf", "line 2", "restart_after_crash", "hint:"]);
    assert_eq!(refusal.code, 78);
}

/// Without any privilege, as all of these tests, and with a memory limit.
#[test]
fn it_runs_without_any_privilege_and_fits_its_memory() {
    let scope = Scope::new("hardened");
    let server = server(&scope, "pg")
        .option("--memory", "512m")
        .option("--shm-size", "96m")
        .option("--health-interval", "1s")
        .env("PG_TUNE", "auto")
        .start();
    server.wait_ready().wait_healthy();
    assert_eq!(show(&server, &["shared_buffers", "effective_cache_size"]), "128MB|384MB");
    assert_eq!(server.exec(&["bash", "-c", "df --output=size -m /dev/shm | tail -n 1 | tr -d ' '"]), "96");
    assert_eq!(
        log_in(&server, "postgres", PASSWORD, "postgres", "CREATE TABLE t AS SELECT generate_series(1, 10000) n"),
        Ok(String::new())
    );
    assert_eq!(server.restart().sql("postgres", "SELECT count(*) FROM t"), "10000");
    assert_eq!(
        server.exec(&["stat", "-c", "%a %U", "/run/pgcluster", "/run/pgcluster/tls.key", "/u01/pg17/data"]),
        "700 postgres\n600 postgres\n700 postgres"
    );
}
