//! Variables of the official image.

use crate::docker::Scope;
use crate::docker::container::Run;
use crate::docker::files::Files;
use crate::{PASSWORD, log_in, server};

#[test]
fn a_password_is_all_it_needs() {
    let scope = Scope::new("password");
    let server = server(&scope, "pg").option("--health-interval", "1s").start();
    server.wait_ready();
    let facts = "SELECT current_user, current_database(), current_setting('server_encoding'), current_setting('data_checksums')";
    assert_eq!(log_in(&server, "postgres", PASSWORD, "postgres", facts), Ok("postgres|postgres|UTF8|on".into()));
    assert!(log_in(&server, "postgres", "wrong", "postgres", "SELECT 1").unwrap_err().contains("password authentication failed"));
    assert!(log_in(&server, "postgres", "", "postgres", "SELECT 1").unwrap_err().contains("no password supplied"));
    assert_eq!(server.sql("postgres", "SELECT 1"), "1", "local connections need no password");
    server.wait_healthy();

    server.sql("postgres", "CREATE TABLE kept AS SELECT 7 AS seven");
    let environment = server.exec(&["bash", "-c", "tr '\\0' '\\n' </proc/1/environ"]);
    assert!(environment.contains("PGDATA=") && !environment.contains("POSTGRES_PASSWORD"), "{environment}");
    server.restart();
    assert_eq!(server.sql("postgres", "SELECT seven FROM kept"), "7");
    assert!(!server.logs().contains(PASSWORD));
}

#[test]
fn every_variable_also_comes_from_a_file() {
    let scope = Scope::new("files");
    let files = Files::new();
    files.write("password", format!("{PASSWORD}\n"));
    files.write("user", "app user\n");
    files.write("db", "app-data");
    files.write("args", "--locale=C --wal-segsize=1\n");
    let server = Run::new(&scope, "pg", "postgres")
        .volume(files.at("/run/secrets"))
        .env("POSTGRES_PASSWORD_FILE", "/run/secrets/password")
        .env("POSTGRES_USER_FILE", "/run/secrets/user")
        .env("POSTGRES_DB_FILE", "/run/secrets/db")
        .env("POSTGRES_INITDB_ARGS_FILE", "/run/secrets/args")
        .option("--health-interval", "1s")
        .start();
    server.wait_ready().wait_healthy();
    let facts = "SELECT current_user, current_database(), current_setting('wal_segment_size'), datcollate, rolsuper, \
                 (SELECT count(*) FROM pg_roles WHERE rolname = 'postgres') \
                 FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user";
    assert_eq!(log_in(&server, "'app user'", PASSWORD, "app-data", facts), Ok("app user|app-data|1MB|C|t|0".into()));
    server.restart();
    assert_eq!(log_in(&server, "'app user'", PASSWORD, "app-data", "SELECT 1"), Ok("1".into()));
}

#[test]
fn trust_needs_no_password_and_says_what_that_means() {
    let scope = Scope::new("trust");
    let server = Run::new(&scope, "pg", "postgres")
        .env("POSTGRES_HOST_AUTH_METHOD", "trust")
        .env("POSTGRES_USER", "app")
        .option("--health-interval", "1s")
        .args(&["-c", "work_mem=7MB", "-c", "log_statement=ddl"])
        .start();
    server.wait_ready().wait_healthy();
    let facts = "SELECT current_user, current_database(), current_setting('work_mem'), current_setting('log_statement')";
    assert_eq!(log_in(&server, "app", "", "app", facts), Ok("app|app|7MB|ddl".into()));
    assert!(server.logs().contains("POSTGRES_HOST_AUTH_METHOD=trust"), "{}", server.logs());
}

#[test]
fn what_is_wrong_with_the_environment_is_said_at_once() {
    let scope = Scope::new("wrong");
    let files = Files::new();
    files.write("password", PASSWORD);
    let none = Run::new(&scope, "none", "postgres").refusal();
    assert_eq!(none.code, 78);
    none.says(&["POSTGRES_PASSWORD: required", "hint:", "docker run -e POSTGRES_PASSWORD=", "POSTGRES_HOST_AUTH_METHOD=trust"]);

    let twice = server(&scope, "twice")
        .volume(files.at("/run/secrets"))
        .env("POSTGRES_PASSWORD_FILE", "/run/secrets/password")
        .env("POSTGRES_USER_FILE", "/run/secrets/nothing")
        .env("POSTGRES_DBB", "typo")
        .refusal();
    assert_eq!(twice.code, 78);
    twice.says(&[
        "POSTGRES_PASSWORD: POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are both set",
        "POSTGRES_USER_FILE: /run/secrets/nothing cannot be read",
        "POSTGRES_DBB",
        "POSTGRES_DB?",
    ]);
    assert!(!twice.said.contains(PASSWORD), "{}", twice.said);
}
