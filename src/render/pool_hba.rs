//! `pool_hba.conf`: who may come in through pgpool, and how pgpool learns the password.

use serde::Serialize;

use super::paths;
use super::pool_users::CONTROL_ROLES;
use super::template::render;
use crate::spec::{PgpoolSpec, UnknownUsers};

#[derive(Serialize)]
struct PoolHba<'a> {
    name: &'a str,
    control: Vec<String>,
    known: Vec<String>,
    tls_password: bool,
    unknown: Vec<String>,
    reject: [String; 2],
}

/// Four bands. A role of pool_passwd always ends in the first two: `password` for such a role is what CVE-2025-46801 needs.
///
/// `@file`, `all` and `samenet` are the same as in pg_hba.conf (`tokenize_inc_file`, `parse_hba_line` in `src/auth/pool_hba.c`).
pub fn pool_hba_conf(spec: &PgpoolSpec) -> anyhow::Result<String> {
    let listed = format!("@{}", paths::KNOWN_USERS);
    let rules = |user: &str, method: &str| -> Vec<String> {
        spec.client_networks.iter().map(|network| rule("hostssl", user, network, method)).collect()
    };
    let mut known = vec![rule("local", &listed, "", "scram-sha-256")];
    known.extend(rules(&listed, "scram-sha-256"));
    let context = PoolHba {
        name: &spec.name,
        control: CONTROL_ROLES.into_iter().flat_map(control).collect(),
        known,
        tls_password: spec.unknown_users == UnknownUsers::TlsPassword,
        unknown: rules("all", "password"),
        reject: [rule("local", "all", "", "reject"), rule("host", "all", "all", "reject")],
    };
    render("pool_hba.conf", &context)
}

/// To PostgreSQL everybody comes from pgpool's address, so "only the cluster's own networks" is decided here.
fn control(role: &str) -> [String; 3] {
    [
        rule("local", role, "", "scram-sha-256"),
        rule("hostssl", role, "samenet", "scram-sha-256"),
        rule("host", role, "all", "reject"),
    ]
}

fn rule(kind: &str, user: &str, address: &str, method: &str) -> String {
    format!("{kind:<8}  all       {user:<28}  {address:<18}  {method}")
}
