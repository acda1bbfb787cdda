//! The six roles of MSLIST.

use crate::cluster::{Cluster, SCRAM, password, roles};
use crate::docker::eventually;

pub fn log_in(cluster: &Cluster) {
    for role in roles() {
        let statement = "SELECT current_user, current_setting('search_path')";
        let user_path = format!("\"$user\", {}, public", role.name.replace("_user", "_owner"));
        let path = if role.name.ends_with("_user") { &user_path } else { "\"$user\", public" };
        assert_eq!(cluster.run(role.name, statement), Ok(format!("{}|{path}", role.name)), "{}", role.name);
        let clear = cluster.run_with(role.name, &role.password, "sslmode=disable", "SELECT 1");
        assert!(clear.is_err(), "{} got in without TLS", role.name);
    }
    let control = cluster.run_with("repmgr", crate::cluster::REPMGR, SCRAM, "SELECT 1");
    assert_eq!(control, Ok("1".into()), "from the host, which is in the cluster's network");
}

/// Right after a right one, when pgpool has a connection in its cache (CVE-2025-46801 let such a client in).
pub fn wrong_passwords(cluster: &Cluster) {
    for role in roles() {
        assert_eq!(cluster.run(role.name, "SELECT 1"), Ok("1".into()));
        let mut shorter = role.password.clone();
        shorter.pop();
        let other = password(if role.name == "orders_user" { "audit_user" } else { "orders_user" });
        for wrong in ["wrong", "", &shorter, &format!("{}x", role.password), &other, role.name] {
            for options in ["sslmode=require", "sslmode=disable"] {
                let answer = cluster.run_with(role.name, wrong, options, "SELECT 1");
                assert!(answer.is_err(), "{} got in with {wrong:?} {options}", role.name);
            }
        }
    }
}

pub fn read_and_write(cluster: &Cluster) {
    let made = "CREATE TABLE item (id serial PRIMARY KEY, name text UNIQUE);
        CREATE SEQUENCE ticket;
        CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n';
        CREATE VIEW names AS SELECT name FROM item";
    assert_eq!(cluster.run("orders_owner", made), Ok(String::new()));
    let statements = [
        ("INSERT INTO item (name) VALUES ('a'), ('b') RETURNING id", "1\n2"),
        ("UPDATE item SET name = 'c' WHERE id = 2 RETURNING name", "c"),
        ("DELETE FROM item WHERE id = 1 RETURNING name", "a"),
        ("SELECT nextval('ticket'), nextval('orders_owner.ticket')", "1|2"),
        ("SELECT twice(id) FROM item", "4"),
        ("BEGIN; SELECT name FROM orders_owner.names; COMMIT", "c"),
    ];
    for (statement, answer) in statements {
        // A reading goes to any node, and a standby may be a moment behind. A writing happens once.
        match statement.contains("SELECT") && !statement.contains("nextval") {
            true => eventually(statement, || cluster.run("orders_user", statement) == Ok(answer.into())),
            false => assert_eq!(cluster.run("orders_user", statement), Ok(answer.into()), "{statement}"),
        }
    }
    for (who, statement) in [
        ("billing_user", "SELECT * FROM orders_owner.item"),
        ("billing_owner", "SELECT * FROM orders_owner.item"),
        ("orders_user", "TRUNCATE item"),
        ("orders_user", "DROP TABLE item"),
        ("orders_user", "ALTER TABLE item ADD COLUMN x int"),
    ] {
        let error = cluster.run(who, statement).expect_err(statement);
        assert!(error.contains("permission denied") || error.contains("must be owner"), "{who} {statement}: {error}");
    }
}

pub fn create_nothing(cluster: &Cluster) {
    let forbidden = [
        "CREATE TABLE mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TABLE orders_owner.mine ()",
        "CREATE SCHEMA mine",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "CREATE EXTENSION pgcrypto",
        "CREATE FUNCTION orders_owner.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE orders_owner",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "SELECT pg_promote()",
    ];
    for statement in forbidden {
        let error = cluster.run("orders_user", statement).expect_err(statement);
        assert!(error.contains("permission denied") || error.contains("must be"), "{statement}: {error}");
    }
    // What the catalog says, in each database that it may enter, on the server itself.
    let primary = cluster.primary();
    for role in roles() {
        let own = if role.name.ends_with("_owner") { role.name } else { "" };
        for database in
            primary.sql("postgres", "SELECT datname FROM pg_database WHERE datallowconn AND datname <> 'template1'").lines()
        {
            let question = format!(
                "SELECT nspname FROM pg_namespace WHERE has_schema_privilege('{0}', oid, 'CREATE') AND nspname <> '{own}' \
                 UNION ALL SELECT datname FROM pg_database WHERE has_database_privilege('{0}', oid, 'CREATE') \
                 UNION ALL SELECT rolname FROM pg_roles WHERE rolname = '{0}' AND (rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls) \
                 UNION ALL SELECT 'member of ' || roleid::regrole FROM pg_auth_members WHERE member = '{0}'::regrole",
                role.name
            );
            assert_eq!(primary.sql(database, &question), "", "{} may create in {database}", role.name);
        }
    }
}
