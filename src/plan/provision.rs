//! Which roles, databases, schemas and grants a primary must have, as SQL: wanted and found in, statements out.
//!
//! Nothing is ever dropped. An unchanged list gives no statement for what is already there.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::NodeNumber;
use crate::render::check_role::{self, CHECK_ROLE};
use crate::render::quote::{Unquotable, sql_identifier, sql_literal};
use crate::render::repmgr::repmgr_conninfo;
use crate::spec::{ClusterKind, ClusterSpec, PostgresSpec, RolePassword, Secret, Service};

pub const REPMGR: &str = "repmgr";

/// What the server has now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Role → its verifier as in `pg_authid.rolpassword`.
    pub roles: BTreeMap<String, Option<String>>,
    pub databases: BTreeSet<String>,
    /// Services made by an earlier start (`pgcluster.service`).
    pub services: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WantedRole {
    pub name: String,
    pub kind: RoleKind,
    /// None: no password is set or changed.
    pub password: Option<RolePassword>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RoleKind {
    Superuser,
    Repmgr,
    Check,
    Owner,
    User { owner: String },
}

/// Every role that must exist, in the order of their dependencies.
pub fn wanted_roles(spec: &PostgresSpec) -> Vec<WantedRole> {
    let given = |secret: &Secret| RolePassword::Given(secret.clone());
    let cluster = &spec.cluster;
    let mut roles = vec![
        WantedRole {
            name: spec.superuser.name.clone(),
            kind: RoleKind::Superuser,
            password: spec.superuser.password.as_ref().map(given),
        },
        WantedRole { name: REPMGR.into(), kind: RoleKind::Repmgr, password: cluster.wanted_password().map(given) },
        WantedRole {
            name: CHECK_ROLE.into(),
            kind: RoleKind::Check,
            password: cluster.wanted_password().map(|secret| RolePassword::Given(check_role::check_password(secret))),
        },
    ];
    for service in &cluster.services {
        let owner = service.owner();
        roles.push(WantedRole {
            name: service.user(),
            kind: RoleKind::User { owner: owner.clone() },
            password: Some(service.user_password.clone()),
        });
        roles.push(WantedRole { name: owner, kind: RoleKind::Owner, password: Some(service.owner_password.clone()) });
    }
    roles
}

/// While `REPMGRPWD` changes, its roles keep the password that they have until everybody knows the new one (`plan::rotation`).
pub fn is_left_alone(cluster: &ClusterSpec, role: &WantedRole, found: &Found) -> bool {
    cluster.is_rotating()
        && matches!(role.kind, RoleKind::Repmgr | RoleKind::Check)
        && found.roles.get(&role.name).is_some_and(Option::is_some)
}

/// Databases that must exist. A standalone node without services gets what the official image makes, and `repmgr`.
pub fn wanted_databases(spec: &PostgresSpec) -> Vec<String> {
    let cluster = &spec.cluster;
    let mut names = vec![REPMGR.to_string()];
    if cluster.kind == ClusterKind::Cluster || !cluster.services.is_empty() {
        names.push(cluster.database.clone());
    }
    names.push(spec.superuser.database.clone());
    let mut seen = BTreeSet::from(["postgres".to_string()]);
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// Creates and alters roles. `verifiers` has an entry for every role whose password is to be set.
pub fn role_statements(
    wanted: &[WantedRole],
    found: &Found,
    verifiers: &BTreeMap<String, String>,
) -> Result<Vec<String>, Unquotable> {
    let mut statements = Vec::new();
    for role in wanted.iter().filter(|role| !found.roles.contains_key(&role.name)) {
        statements.push(format!("CREATE ROLE {} {}", sql_identifier(&role.name)?, attributes(&role.kind)));
        statements.extend(role_settings(role)?);
    }
    statements.extend(password_statement(verifiers)?);
    Ok(statements)
}

/// All passwords in one statement on the catalog. `CREATE ROLE … PASSWORD` and `ALTER ROLE … PASSWORD` take 3 ms each, even for a
/// verifier: they derive its keys once more, to refuse the empty password (user.c, `plain_crypt_verify`), which a wish never has.
pub fn password_statement(verifiers: &BTreeMap<String, String>) -> Result<Option<String>, Unquotable> {
    let row = |(name, verifier): (&String, &String)| Ok(format!("({}, {})", sql_literal(name)?, sql_literal(verifier)?));
    let rows: Vec<String> = verifiers.iter().map(row).collect::<Result<_, _>>()?;
    Ok((!rows.is_empty()).then(|| {
        format!(
            "UPDATE pg_catalog.pg_authid SET rolpassword = given.verifier FROM (VALUES {}) AS given (name, verifier) \
             WHERE rolname = given.name::name",
            rows.join(", ")
        )
    }))
}

fn attributes(kind: &RoleKind) -> &'static str {
    match kind {
        RoleKind::Superuser | RoleKind::Repmgr => "LOGIN SUPERUSER REPLICATION",
        RoleKind::Check | RoleKind::Owner | RoleKind::User { .. } => "LOGIN",
    }
}

fn role_settings(role: &WantedRole) -> Result<Vec<String>, Unquotable> {
    let name = sql_identifier(&role.name)?;
    Ok(match &role.kind {
        RoleKind::Superuser | RoleKind::Owner => vec![],
        // A control statement must never wait for the standby that it is about to repair.
        RoleKind::Repmgr => vec![
            format!("ALTER ROLE {name} SET synchronous_commit = local"),
            format!("ALTER ROLE {name} SET search_path = repmgr, \"$user\", public"),
        ],
        RoleKind::Check => vec![format!("GRANT pg_monitor TO {name}")],
        RoleKind::User { owner } => {
            vec![format!("ALTER ROLE {name} SET search_path = \"$user\", {}, public", sql_identifier(owner)?)]
        }
    })
}

/// Schemas and grants in the services' database, for services that are not there yet (or whose roles were lost).
pub fn service_statements(services: &[Service], found: &Found, major: u32) -> Result<Vec<String>, Unquotable> {
    let mut statements = vec!["CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"".to_string()];
    if major < 15 {
        // From 15 on nobody but the owner may create in schema public.
        statements.push("REVOKE CREATE ON SCHEMA public FROM PUBLIC".into());
    }
    let is_known = |service: &Service| {
        found.services.contains(&service.name)
            && found.roles.contains_key(&service.owner())
            && found.roles.contains_key(&service.user())
    };
    for service in services.iter().filter(|service| !is_known(service)) {
        let (owner, user) = (sql_identifier(&service.owner())?, sql_identifier(&service.user())?);
        let defaults = format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {owner} GRANT");
        statements.extend([
            format!("CREATE SCHEMA IF NOT EXISTS {owner} AUTHORIZATION {owner}"),
            format!("GRANT USAGE ON SCHEMA {owner} TO {user}"),
            format!("{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {user}"),
            format!("{defaults} USAGE, SELECT ON SEQUENCES TO {user}"),
            format!("{defaults} EXECUTE ON FUNCTIONS TO {user}"),
        ]);
    }
    Ok(statements)
}

/// repmgr's extension, the epoch table and the service list, in database `repmgr`.
pub const METADATA_STATEMENTS: [&str; 6] = [
    "CREATE EXTENSION IF NOT EXISTS repmgr",
    "CREATE SCHEMA IF NOT EXISTS pgcluster AUTHORIZATION repmgr",
    "CREATE TABLE IF NOT EXISTS pgcluster.epoch \
     (epoch bigint PRIMARY KEY, node text NOT NULL, reason text NOT NULL, at timestamptz NOT NULL DEFAULT now())",
    "CREATE TABLE IF NOT EXISTS pgcluster.service (name text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
    "GRANT USAGE ON SCHEMA pgcluster TO pg_monitor",
    "GRANT SELECT ON pgcluster.epoch, pgcluster.service TO pg_monitor",
];

/// Remembers which services are complete; sent last, so that a start that was killed before does the rest again.
pub fn service_rows(services: &[Service], found: &Found) -> Result<Option<String>, Unquotable> {
    let added = services.iter().filter(|service| !found.services.contains(&service.name));
    let rows: Vec<String> = added.map(|service| Ok(format!("({})", sql_literal(&service.name)?))).collect::<Result<_, _>>()?;
    Ok((!rows.is_empty())
        .then(|| format!("INSERT INTO pgcluster.service (name) VALUES {} ON CONFLICT DO NOTHING", rows.join(", "))))
}

/// The first reign, and the primary's own row in repmgr's metadata.
pub fn first_reign_statements(cluster: &ClusterSpec, me: NodeNumber, reason: &str) -> anyhow::Result<Vec<String>> {
    let name = &cluster.nodes[me.index()].name;
    Ok(vec![
        format!(
            "WITH begun AS (INSERT INTO pgcluster.epoch (epoch, node, reason) SELECT 1, {}, {} \
             WHERE NOT EXISTS (SELECT FROM pgcluster.epoch) RETURNING reason) \
             INSERT INTO repmgr.events (node_id, event, successful, details) \
             SELECT {}, 'cluster_created', true, 'epoch 1: ' || reason FROM begun",
            sql_literal(name.as_str())?,
            sql_literal(reason)?,
            me.id()
        ),
        upsert_primary(cluster, me)?,
    ])
}

/// `repmgr.nodes` says: this node is the primary. Rows as `repmgr primary register` writes them (dbutils.c, `_create_update_node_record`).
pub fn upsert_primary(cluster: &ClusterSpec, me: NodeNumber) -> anyhow::Result<String> {
    upsert_node(cluster, me, None)
}

/// `repmgr.nodes` says: this node is a standby of `upstream`.
pub fn upsert_standby(cluster: &ClusterSpec, me: NodeNumber, upstream: NodeNumber) -> anyhow::Result<String> {
    upsert_node(cluster, me, Some(upstream))
}

fn upsert_node(cluster: &ClusterSpec, me: NodeNumber, upstream: Option<NodeNumber>) -> anyhow::Result<String> {
    let node = &cluster.nodes[me.index()];
    let (kind, upstream_id) = match upstream {
        None => ("primary", "NULL".to_string()),
        Some(number) => ("standby", number.id().to_string()),
    };
    let columns = "upstream_node_id, active, node_name, type, conninfo, repluser, slot_name, config_file, location, priority";
    let event = match upstream {
        None => "primary_register",
        Some(_) => "standby_register",
    };
    Ok(format!(
        "WITH changed AS (INSERT INTO repmgr.nodes AS n (node_id, {columns}) \
         VALUES ({id}, {upstream_id}, true, {name}, '{kind}', {conninfo}, 'repmgr', '{slot}', '/etc/repmgr.conf', 'default', 100) \
         ON CONFLICT (node_id) DO UPDATE SET ({columns}) = (SELECT {excluded}) \
         WHERE (n.upstream_node_id, n.active, n.node_name, n.type, n.conninfo, n.slot_name) \
         IS DISTINCT FROM (excluded.upstream_node_id, excluded.active, excluded.node_name, excluded.type, excluded.conninfo, excluded.slot_name) \
         RETURNING node_id) \
         INSERT INTO repmgr.events (node_id, event, successful, details) SELECT node_id, '{event}', true, 'pgcluster: started' FROM changed",
        id = node.id(),
        name = sql_literal(node.name.as_str())?,
        conninfo = sql_literal(&repmgr_conninfo(cluster, node)?)?,
        slot = node.id().slot_name(),
        excluded = columns.split(", ").map(|c| format!("excluded.{c}")).collect::<Vec<_>>().join(", "),
    ))
}

/// Services that an earlier start made and the list no longer names. They are reported, never dropped.
pub fn removed_services<'a>(services: &[Service], found: &'a Found) -> Vec<&'a str> {
    found.services.iter().filter(|name| !services.iter().any(|s| s.name == **name)).map(String::as_str).collect()
}

/// Everything that provisioning depends on, in one text to be hashed: equal digest = no work at this start.
pub fn digest_input(spec: &PostgresSpec) -> String {
    let mut text = format!("v1 {:?} {:?}\n", wanted_databases(spec), spec.cluster.nodes.len());
    for role in wanted_roles(spec) {
        let password = match &role.password {
            None => String::new(),
            Some(RolePassword::Generate) => "generate".into(),
            Some(RolePassword::Given(secret)) => format!("given {:?}", secret.expose()),
        };
        text.push_str(&format!("{:?} {:?} {password}\n", role.name, role.kind));
    }
    text
}

#[cfg(test)]
mod tests;
