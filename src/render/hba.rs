//! Who may connect: `pg_hba.conf` and the map for logins inside the container.

use std::net::IpAddr;

use serde::Serialize;

use super::check_role::CHECK_ROLE;
use super::template::render;
use super::{HbaRules, quote};
use crate::spec::{ClusterKind, HostAuth, PostgresSpec};

/// Networks that this node has an address in: where the other nodes and pgpool are.
const SAMENET: &str = "samenet";

#[derive(Serialize)]
struct PgHba<'a> {
    name: &'a str,
    standalone: bool,
    networks_variable: &'static str,
    local: Vec<String>,
    control: Vec<String>,
    user_rules: Vec<Rules<'a>>,
    clients_why: String,
    clients: Vec<String>,
    reject: String,
}

#[derive(Serialize)]
struct Rules<'a> {
    file: &'a str,
    text: &'a str,
}

/// `pg_hba.conf`: five bands, the first line that matches decides.
pub fn pg_hba_conf(spec: &PostgresSpec, user_rules: &[HbaRules]) -> anyhow::Result<String> {
    let (clients_why, clients) = clients(spec)?;
    let context = PgHba {
        name: spec.node().name.as_str(),
        standalone: spec.cluster.kind == ClusterKind::Standalone,
        networks_variable: match spec.cluster.kind {
            ClusterKind::Standalone => "POSTGRES_HOST_AUTH_METHOD, PG_CLIENT_NETWORKS",
            ClusterKind::Cluster => "PG_CLIENT_NETWORKS",
        },
        local: local(spec)?,
        control: control(spec),
        user_rules: user_rules.iter().map(|rules| Rules { file: &rules.file, text: rules.text.trim_end() }).collect(),
        clients_why,
        clients,
        reject: rule("host", "all,replication", "all", "all", "reject"),
    };
    render("pg_hba.conf", &context)
}

fn local(spec: &PostgresSpec) -> anyhow::Result<Vec<String>> {
    Ok(match spec.cluster.kind {
        ClusterKind::Standalone => vec![rule("local", "all,replication", "all", "", "trust")],
        ClusterKind::Cluster => {
            let peer = |role: &String| rule("local", "all,replication", role, "", "peer map=pgcluster");
            let mut rules: Vec<String> = own_roles(spec)?.iter().map(peer).collect();
            rules.push(rule("local", "all", "all", "", "scram-sha-256"));
            rules
        }
    })
}

/// Role repmgr equals a shell in this container: its own networks, TLS and SCRAM, and nothing else.
fn control(spec: &PostgresSpec) -> Vec<String> {
    match spec.cluster.kind {
        ClusterKind::Standalone => vec![],
        ClusterKind::Cluster => {
            let mut networks = vec![SAMENET.to_owned()];
            networks.extend(spec.cluster.nodes.iter().filter_map(|node| host_network(&node.host)));
            let mut rules: Vec<String> =
                networks.iter().map(|network| rule("hostssl", "all,replication", "repmgr", network, "scram-sha-256")).collect();
            rules.push(rule("hostssl", "postgres", CHECK_ROLE, SAMENET, "scram-sha-256"));
            rules
        }
    }
}

/// A node given by address may be in another network; a name would need reverse lookup, which containers do not have.
fn host_network(host: &str) -> Option<String> {
    match host.parse().ok()? {
        IpAddr::V4(address) => Some(format!("{address}/32")),
        IpAddr::V6(address) => Some(format!("{address}/128")),
    }
}

fn clients(spec: &PostgresSpec) -> anyhow::Result<(String, Vec<String>)> {
    let networks = &spec.client_networks;
    Ok(match spec.cluster.kind {
        ClusterKind::Standalone => {
            let (method, why) = host_auth(spec.host_auth);
            (why.into(), networks.iter().map(|network| rule("host", "all", "all", network, method)).collect())
        }
        ClusterKind::Cluster => {
            let database = quote::hba_name(&spec.cluster.database)?;
            let why = "Services come through pgpool, which is in the same network; with TLS and a password, always.";
            let mut rules =
                vec![rule("host", "all", "repmgr", "all", "reject"), rule("hostssl", &database, "all", SAMENET, "scram-sha-256")];
            rules.extend(networks.iter().map(|network| rule("hostssl", "all", "all", network, "scram-sha-256")));
            (why.into(), rules)
        }
    })
}

fn host_auth(method: HostAuth) -> (&'static str, &'static str) {
    match method {
        HostAuth::ScramSha256 => ("scram-sha-256", "With a password, over TLS or not, as in the official image."),
        HostAuth::Md5 => {
            ("md5", "POSTGRES_HOST_AUTH_METHOD=md5: PostgreSQL uses SCRAM all the same for passwords stored that way.")
        }
        HostAuth::Password => {
            ("password", "POSTGRES_HOST_AUTH_METHOD=password: in clear text, unless the client insists on TLS.")
        }
        HostAuth::Trust => ("trust", "POSTGRES_HOST_AUTH_METHOD=trust: anybody who reaches this port is superuser."),
    }
}

/// `pg_ident.conf`: the container's own unix users may be these roles.
pub fn pg_ident_conf(spec: &PostgresSpec) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct PgIdent<'a> {
        name: &'a str,
        roles: Vec<String>,
    }
    render("pg_ident.conf", &PgIdent { name: spec.node().name.as_str(), roles: own_roles(spec)? })
}

/// Superusers, quoted. Listed one by one: `all` in a map works from PostgreSQL 16 on only.
fn own_roles(spec: &PostgresSpec) -> anyhow::Result<Vec<String>> {
    let mut roles = vec!["postgres", "repmgr"];
    if !roles.contains(&spec.superuser.name.as_str()) {
        roles.push(&spec.superuser.name);
    }
    roles.into_iter().map(|role| Ok(quote::hba_name(role)?)).collect()
}

fn rule(kind: &str, database: &str, user: &str, address: &str, method: &str) -> String {
    format!("{kind:<9}  {database:<16}  {user:<16}  {address:<18}  {method}")
}
