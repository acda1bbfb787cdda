//! Roles that somebody made with SQL: pgpool has no password of theirs.

use crate::cluster::{Cluster, DATABASE};
use crate::docker::eventually;
use crate::docker::psql::Login;

const PASSWORD: &str = r#"str: , ' " \ $ é"#;
const TLS: &str = "sslmode=require";

pub fn make(cluster: &Cluster) {
    let literal = PASSWORD.replace('\'', "''");
    let made = format!(
        "SET log_statement = none; SET log_min_error_statement = panic; DROP ROLE IF EXISTS stranger; DROP ROLE IF EXISTS nameless; \
         CREATE ROLE stranger LOGIN PASSWORD '{literal}'; CREATE ROLE nameless LOGIN"
    );
    // log_statement is read before the text is run, so it must be off in the session's options.
    let primary = cluster.primary();
    primary.exec(&[
        "env",
        "PGOPTIONS=-c log_statement=none",
        "psql",
        "-Xq",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        "postgres",
        "-c",
        &made,
    ]);
    // pgpool logs in to every node.
    for node in &cluster.nodes {
        let there = "SELECT count(*) FROM pg_roles WHERE rolname IN ('stranger', 'nameless')";
        eventually("the new roles on every node", || node.sql("postgres", there) == "2");
    }
}

pub fn through_tls(cluster: &Cluster) {
    make(cluster);
    for _ in 0..3 {
        assert_eq!(cluster.run_with("stranger", PASSWORD, TLS, "SELECT current_user"), Ok("stranger".into()));
        for (user, wrong) in [
            ("stranger", "wrong"),
            ("stranger", ""),
            ("stranger", "stranger"),
            ("nameless", "x"),
            ("nameless", ""),
            ("nobody", PASSWORD),
        ] {
            assert!(cluster.run_with(user, wrong, TLS, "SELECT 1").is_err(), "{user} got in with {wrong:?}");
        }
        assert!(cluster.run_with("stranger", PASSWORD, "sslmode=disable", "SELECT 1").is_err(), "without TLS");
    }
    let (pool, port) = cluster.another_pool("pgpool02", |run| run.env("POOL_UNKNOWN_USERS", "reject"));
    for password in [PASSWORD, "wrong"] {
        let login = Login { port, user: "stranger", password, database: DATABASE, options: TLS };
        assert!(cluster.psql.run(login, "SELECT 1").is_err(), "in spite of reject");
    }
    let known = crate::cluster::password("orders_user");
    let login = Login { port, user: "orders_user", password: &known, database: DATABASE, options: crate::cluster::SCRAM };
    assert_eq!(cluster.psql.run(login, "SELECT 1"), Ok("1".into()));
    pool.remove();
}
