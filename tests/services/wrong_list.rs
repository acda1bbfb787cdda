//! pgpool was given other passwords than the databases: said at its start, once per role, and nobody gets in by them.

use crate::cluster::{Cluster, DATABASE, SCRAM, password};
use crate::docker::psql::Login;

pub fn warns(cluster: &Cluster) {
    let list = serde_json::json!(["not: this", "nor 'this'", password("audit_user")]).to_string();
    let (pool, port) = cluster.another_pool("pgpool03", |run| run.env("MSUSERPWDLIST", &list));
    let said = pool.logs();
    let warnings: Vec<&str> = said.lines().filter(|line| line.contains("WARN") && line.contains("cannot log in")).collect();
    assert_eq!(warnings.len(), 2, "{said}");
    for role in ["orders_user", "billing_user"] {
        let about: Vec<_> = warnings.iter().filter(|line| line.contains(role)).collect();
        assert_eq!(about.len(), 1, "{said}");
        assert!(about[0].contains("password authentication failed") && !about[0].contains("not: this"), "{}", about[0]);
    }
    assert!(said.contains("6 of 8 roles log in"), "{said}");
    let try_as =
        |user, password: &str| cluster.psql.run(Login { port, user, password, database: DATABASE, options: SCRAM }, "SELECT 1");
    assert_eq!(try_as("audit_user", &password("audit_user")), Ok("1".into()));
    assert!(try_as("orders_user", "not: this").is_err(), "pgpool's own wrong password opens nothing");
    assert!(try_as("orders_user", &password("orders_user")).is_err(), "pgpool cannot prove this one to the server");
    pool.remove();
}
