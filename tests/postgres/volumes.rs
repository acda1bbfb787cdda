//! What may lie on the volume: nothing, our data, somebody's data, and what is not ours to touch.

use crate::docker::Scope;
use crate::docker::container::Run;
use crate::{PASSWORD, log_in, server};

const OFFICIAL: &str = "/var/lib/postgresql/data";

/// Runs a shell line on a volume, as the image's user.
fn on_volume(scope: &Scope, volume: &str, place: &str, line: &str) -> String {
    let output = Run::new(scope, "shell", "postgres").volume(format!("{volume}:{place}")).args(&["bash", "-euc", line]).output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_string();
    assert!(output.status.success(), "{line}: {} {}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// Every file with its time and size.
fn inventory(scope: &Scope, volume: &str) -> String {
    on_volume(
        scope,
        volume,
        "/u01/pg17",
        "cd /u01/pg17; find . ! -name .pgcluster.lock ! -path . -printf '%p %s %T@ %m\\n' | sort",
    )
}

#[test]
fn pgdata_may_itself_be_the_mount_point() {
    let scope = Scope::new("inside");
    let volume = scope.volume("data");
    let run = |name: &str| {
        server(&scope, name).volume(format!("{volume}:{OFFICIAL}")).env("PGDATA", OFFICIAL).option("--health-interval", "1s")
    };
    // Killed while the new directory is moved up: the next start must not take the half for the whole.
    let killed = run("killed").env("PGCLUSTER_DIE_AT", "staging-marked").start();
    assert_eq!(killed.wait_for_exit(), 137);
    killed.remove();

    let server = run("pg").start();
    server.wait_ready().wait_healthy();
    assert_eq!(server.sql("postgres", "SHOW data_directory"), OFFICIAL);
    server.sql("postgres", "CREATE TABLE kept AS SELECT 7 AS seven");
    let names = server.exec(&["ls", "-A", OFFICIAL]);
    assert!(!names.contains("pgcluster.staging") && !names.contains("pgcluster.unfinished"), "{names}");
    assert!(names.lines().any(|name| name == "PG_VERSION"), "{names}");

    // Two containers on one volume: the second waits, and touches nothing.
    let second = run("second").start();
    crate::docker::wait_until("the second to say that it waits", crate::docker::container::START, || {
        second.logs().contains("wait for the volume: another container").then_some(())
    });
    assert_eq!(server.sql("postgres", "SELECT seven FROM kept"), "7");
    server.remove();
    second.wait_ready();
    assert_eq!(second.sql("postgres", "SELECT seven FROM kept"), "7");
}

/// A directory as the official image leaves it: plain initdb, its own pg_hba.conf, a table, a changed parameter.
fn official_data(scope: &Scope) -> String {
    let volume = scope.volume("official");
    let line = "initdb -D /u01/pg17/data --username=app --auth=trust >/dev/null; \
         pg_ctl -D /u01/pg17/data -o '-c listen_addresses= -k /tmp' -w start >/dev/null; \
         psql -qh /tmp -U app -d postgres -c 'CREATE DATABASE app' \
           -c \"ALTER SYSTEM SET random_page_cost = 1.5\" -c \"CREATE ROLE client LOGIN PASSWORD 'client-secret'\"; \
         psql -qh /tmp -U app -d app -c 'CREATE TABLE kept AS SELECT 7 AS seven'; \
         pg_ctl -D /u01/pg17/data -m fast stop >/dev/null; chmod 700 /u01/pg17/data; echo 'work_mem = 9MB' >>/u01/pg17/data/postgresql.conf";
    on_volume(scope, &volume, "/u01/pg17", line);
    volume
}

#[test]
fn data_of_the_official_image_is_adopted() {
    let scope = Scope::new("adopted");
    let volume = official_data(&scope);
    let server = server(&scope, "pg")
        .volume(format!("{volume}:/u01/pg17"))
        .env("POSTGRES_USER", "app")
        .env("REPMGRPWD", "repmgr-secret")
        .env("MSLIST", "orders")
        .env("MSOWNERPWDLIST", "owner-secret")
        .env("MSUSERPWDLIST", "user-secret")
        .option("--health-interval", "1s")
        .start();
    server.wait_ready().wait_healthy();
    let facts = "SELECT seven, current_setting('work_mem'), current_setting('random_page_cost') FROM kept";
    assert_eq!(log_in(&server, "app", PASSWORD, "app", facts), Ok("7|9MB|1.5".into()));
    assert_eq!(log_in(&server, "client", "client-secret", "app", "SELECT 1"), Ok("1".into()));
    for (role, password, database) in [
        ("orders_owner", "owner-secret", "phoenix"),
        ("orders_user", "user-secret", "phoenix"),
        ("repmgr", "repmgr-secret", "repmgr"),
    ] {
        assert_eq!(log_in(&server, role, password, database, "SELECT current_user"), Ok(role.into()));
    }
    assert_eq!(log_in(&server, "app", PASSWORD, "repmgr", "SELECT epoch, node = '' FROM pgcluster.epoch"), Ok("1|f".into()));
    server.restart();
    assert_eq!(log_in(&server, "app", PASSWORD, "app", facts), Ok("7|9MB|1.5".into()));
    assert!(!server.logs().contains("owner-secret"), "{}", server.logs());
}

#[test]
fn what_is_not_ours_is_refused_and_not_touched() {
    let scope = Scope::new("refused");
    let cases = [
        (
            "major",
            "mkdir -m 700 data; echo 9.6 >data/PG_VERSION; echo x >data/postgresql.conf",
            "was made by PostgreSQL 9.6, this image has 17",
        ),
        ("other", "mkdir -m 700 data; echo precious >data/thesis.txt", "is no PostgreSQL data directory (no PG_VERSION)"),
    ];
    for (case, line, message) in cases {
        let volume = scope.volume(case);
        on_volume(&scope, &volume, "/u01/pg17", &format!("cd /u01/pg17; {line}"));
        let before = inventory(&scope, &volume);
        let refusal = server(&scope, case).volume(format!("{volume}:/u01/pg17")).refusal();
        refusal.says(&["/u01/pg17/data", message, "nothing was touched"]);
        assert_eq!(inventory(&scope, &volume), before);
    }
}

#[test]
fn a_volume_at_the_official_place_is_never_left_aside() {
    let scope = Scope::new("aside");
    let refusal = server(&scope, "pg").volume(format!("{}:{OFFICIAL}", scope.volume("data"))).refusal();
    refusal.says(&[
        "a volume is mounted at /var/lib/postgresql/data",
        "set PGDATA=/var/lib/postgresql/data",
        "nothing was touched",
    ]);
}

/// The official image's postgres has another user id: root takes the files over once, then becomes nobody special.
#[test]
fn root_takes_over_files_of_another_owner() {
    let scope = Scope::new("root");
    let volume = official_data(&scope);
    let give = Run::new(&scope, "chown", "postgres")
        .unconfined()
        .volume(format!("{volume}:/v"))
        .option("--user", "root")
        .args(&["bash", "-euc", "mv /v/data/* /v/; rmdir /v/data; chown -R 999:999 /v; chmod 700 /v"])
        .output();
    assert!(give.status.success(), "{give:?}");
    let server = server(&scope, "pg")
        .volume(format!("{volume}:{OFFICIAL}"))
        .env("PGDATA", OFFICIAL)
        .env("POSTGRES_USER", "app")
        .unconfined()
        .option("--user", "root")
        .option("--health-interval", "1s")
        .start();
    server.wait_ready().wait_healthy();
    assert_eq!(log_in(&server, "app", PASSWORD, "app", "SELECT seven FROM kept"), Ok("7".into()));
    assert_eq!(server.exec(&["stat", "-c", "%u", "/proc/1", &format!("{OFFICIAL}/PG_VERSION")]), "50010\n50010");
}
