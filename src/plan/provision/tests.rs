//! The SQL for two services; nothing for what is there; nothing that a name can break out of.

use insta::assert_snapshot;

use super::*;
use crate::spec::{HostFacts, RawEnv, Snapshot, postgres_spec};

/// pg01 of two nodes, as the environment would make it.
fn spec(services: &str) -> PostgresSpec {
    let vars = [
        ("PG_BACKEND_NODE_LIST", "0:pg01,1:pg02"),
        ("REPMGRPWD", "rep123"),
        ("MSLIST", services),
        ("MS_DEFAULT_PASSWORDS", "role-name"),
    ];
    let vars = vars.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let raw = RawEnv::read(&Snapshot { vars, files: BTreeMap::new() });
    postgres_spec(&raw, &HostFacts { host_name: "pg01".into() }).expect("a valid environment")
}

fn service(name: &str) -> Service {
    Service { name: name.into(), owner_password: RolePassword::Generate, user_password: RolePassword::Generate }
}

/// A server on which everything of `spec` was made, with these services.
fn complete(spec: &PostgresSpec, services: &[&str]) -> Found {
    let verifier = || Some("SCRAM-SHA-256$4096:salt$stored:server".to_string());
    Found {
        roles: wanted_roles(spec).into_iter().map(|role| (role.name, verifier())).collect(),
        databases: wanted_databases(spec).into_iter().collect(),
        services: services.iter().map(ToString::to_string).collect(),
    }
}

/// One verifier per role, as if every password were new.
fn verifiers(wanted: &[WantedRole]) -> BTreeMap<String, String> {
    wanted.iter().map(|role| (role.name.clone(), format!("verifier of {}", role.name))).collect()
}

#[test]
fn two_services_on_a_new_server() {
    let spec = spec("orders,billing");
    let wanted = wanted_roles(&spec);
    let roles = role_statements(&wanted, &Found::default(), &verifiers(&wanted)).unwrap();
    let services = service_statements(&spec.cluster.services, &Found::default(), 17).unwrap();
    let rows = service_rows(&spec.cluster.services, &Found::default()).unwrap();
    let reign = first_reign_statements(&spec.cluster, spec.me, "initdb").unwrap();
    let bands = [
        ("roles", roles),
        ("databases", wanted_databases(&spec)),
        ("services, in their database", services),
        ("metadata, in database repmgr", METADATA_STATEMENTS.map(String::from).to_vec()),
        ("the services that are complete", rows.into_iter().collect()),
        ("the first reign", reign),
    ];
    let text: Vec<String> = bands.iter().map(|(title, lines)| format!("-- {title}\n{}\n", lines.join("\n"))).collect();
    assert_snapshot!("two_services", text.join("\n"));
}

#[test]
fn nothing_for_what_is_there() {
    let spec = spec("orders,billing");
    let found = complete(&spec, &["orders", "billing"]);
    assert_eq!(role_statements(&wanted_roles(&spec), &found, &BTreeMap::new()), Ok(vec![]));
    assert_eq!(service_rows(&spec.cluster.services, &found), Ok(None));
    let extension = vec!["CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"".to_string()];
    assert_eq!(service_statements(&spec.cluster.services, &found, 17), Ok(extension));
    assert!(METADATA_STATEMENTS.iter().all(|sql| sql.contains("IF NOT EXISTS") || sql.starts_with("GRANT")));
}

#[test]
fn a_new_service_alone_is_made() {
    let spec = spec("orders,billing");
    let found = complete(&spec, &["orders"]);
    let made = service_statements(&spec.cluster.services, &found, 17).unwrap();
    assert!(made[1..].iter().all(|sql| sql.contains("\"billing_owner\"") && !sql.contains("orders")), "{made:#?}");
    let row = "INSERT INTO pgcluster.service (name) VALUES ('billing') ON CONFLICT DO NOTHING";
    assert_eq!(service_rows(&spec.cluster.services, &found), Ok(Some(row.into())));
}

#[test]
fn a_service_whose_role_was_dropped_is_made_again() {
    let spec = spec("orders");
    let mut found = complete(&spec, &["orders"]);
    found.roles.remove("orders_user");
    let roles = role_statements(&wanted_roles(&spec), &found, &BTreeMap::new()).unwrap();
    let search_path = "ALTER ROLE \"orders_user\" SET search_path = \"$user\", \"orders_owner\", public";
    assert_eq!(roles, ["CREATE ROLE \"orders_user\" LOGIN", search_path]);
    assert_eq!(service_statements(&spec.cluster.services, &found, 17).unwrap().len(), 6);
}

#[test]
fn a_changed_password_is_all_that_changes() {
    let spec = spec("orders");
    let changed = BTreeMap::from([("orders_owner".to_string(), "new verifier".to_string())]);
    let statements = role_statements(&wanted_roles(&spec), &complete(&spec, &["orders"]), &changed).unwrap();
    let update = "UPDATE pg_catalog.pg_authid SET rolpassword = given.verifier FROM (VALUES ('orders_owner', 'new verifier')) \
                  AS given (name, verifier) WHERE rolname = given.name::name";
    assert_eq!(statements, [update]);
}

#[test]
fn before_15_schema_public_is_closed() {
    let statements = service_statements(&[], &Found::default(), 14).unwrap();
    assert_eq!(statements[1..], ["REVOKE CREATE ON SCHEMA public FROM PUBLIC"]);
}

#[test]
fn removed_services_are_reported_and_kept() {
    let spec = spec("orders");
    let found = complete(&spec, &["orders", "billing", "archive"]);
    assert_eq!(removed_services(&spec.cluster.services, &found), ["archive", "billing"]);
    assert!(removed_services(&[service("archive"), service("billing"), service("orders")], &found).is_empty());
}

/// The environment refuses such names before; here is the second line of defence.
#[test]
fn no_name_breaks_out_of_its_quotes() {
    let evil = r#"x"; DROP ROLE repmgr; --' \"#;
    let services = [service(evil)];
    let role = WantedRole { name: evil.into(), kind: RoleKind::User { owner: evil.into() }, password: None };
    let verifiers = BTreeMap::from([(evil.to_string(), evil.to_string())]);
    let mut sql = role_statements(&[role], &Found::default(), &verifiers).unwrap();
    sql.extend(service_statements(&services, &Found::default(), 17).unwrap());
    sql.extend(service_rows(&services, &Found::default()).unwrap());
    for statement in &sql {
        let bare = without_quoted(statement);
        assert!(!bare.contains("DROP") && !bare.contains(';'), "{statement}");
    }
    assert_snapshot!("an_evil_name", sql.join("\n"));
}

/// What is left of a statement without its quoted identifiers and literals, read as the server's scanner does.
fn without_quoted(statement: &str) -> String {
    let mut bare = String::new();
    let mut chars = statement.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes = c == '\'' && bare.ends_with('E');
        if c != '\'' && c != '"' {
            bare.push(c);
            continue;
        }
        while let Some(inner) = chars.next() {
            match inner {
                '\\' if escapes => drop(chars.next()),
                end if end == c && chars.peek() == Some(&c) => drop(chars.next()),
                end if end == c => break,
                _ => {}
            }
        }
    }
    bare
}

#[test]
fn what_cannot_be_quoted_is_refused() {
    for bad in ["", "a\0b", &"x".repeat(64)] {
        let role = WantedRole { name: bad.into(), kind: RoleKind::Owner, password: None };
        assert!(role_statements(&[role], &Found::default(), &BTreeMap::new()).is_err(), "{bad:?}");
    }
}

#[test]
fn the_digest_changes_with_every_wish() {
    let digest = |services: &str, change: fn(&mut PostgresSpec)| {
        let mut spec = spec(services);
        change(&mut spec);
        digest_input(&spec)
    };
    let plain = digest("orders", |_| {});
    assert_eq!(plain, digest("orders", |_| {}));
    assert_ne!(plain, digest("orders,billing", |_| {}), "a service");
    assert_ne!(plain, digest("orders", |spec| spec.cluster.repmgr_password = Some(Secret::new("other"))), "a password");
    assert_ne!(plain, digest("orders", |spec| spec.cluster.database = "other".into()), "the database");
}

fn owner(name: &str) -> WantedRole {
    WantedRole { name: name.into(), kind: RoleKind::Owner, password: Some(RolePassword::Generate) }
}

#[test]
fn new_roles_are_created_and_all_passwords_set_at_once() {
    let wanted = [owner("old_owner"), owner("new\"owner")];
    let found = Found { roles: BTreeMap::from([("old_owner".into(), None)]), ..Found::default() };
    let verifiers = [("new\"owner", "SCRAM-SHA-256$1"), ("old_owner", "SCRAM-SHA-256$2")];
    let verifiers = verifiers.map(|(name, verifier)| (name.to_string(), verifier.to_string())).into();
    assert_eq!(
        role_statements(&wanted, &found, &verifiers).unwrap(),
        [
            "CREATE ROLE \"new\"\"owner\" LOGIN",
            "UPDATE pg_catalog.pg_authid SET rolpassword = given.verifier FROM (VALUES ('new\"owner', 'SCRAM-SHA-256$1'), \
             ('old_owner', 'SCRAM-SHA-256$2')) AS given (name, verifier) WHERE rolname = given.name::name"
        ]
    );
    assert!(role_statements(&wanted[..1], &found, &BTreeMap::new()).unwrap().is_empty());
}
