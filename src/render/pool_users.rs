//! Roles that pgpool can log in for: pool_passwd with their encrypted passwords, and the list of their names.

use std::collections::BTreeSet;

use anyhow::Context as _;
use serde::Serialize;

use super::check_role::{CHECK_ROLE, check_password};
use super::facts::PoolUser;
use super::template::render;
use super::{pool_passwd, quote};
use crate::spec::{ClusterSpec, RolePassword, Secret, Service};

/// Roles of the machinery itself: they have rules of their own.
pub const CONTROL_ROLES: [&str; 2] = [CHECK_ROLE, "repmgr"];

/// The check role, repmgr, the services' roles whose password was given, and `more`; a name counts once, the first time.
pub fn known(cluster: &ClusterSpec, more: &[PoolUser]) -> anyhow::Result<Vec<PoolUser>> {
    let repmgr = cluster.repmgr_password.as_ref().context("pgpool needs REPMGRPWD: its check role's password derives from it")?;
    let mut users = vec![user(CHECK_ROLE, &check_password(repmgr)), user("repmgr", repmgr)];
    users.extend(cluster.services.iter().flat_map(service_users));
    users.extend(more.iter().cloned());
    let mut seen = BTreeSet::new();
    users.retain(|user| seen.insert(user.name.clone()));
    Ok(users)
}

fn service_users(service: &Service) -> Vec<PoolUser> {
    [(service.owner(), &service.owner_password), (service.user(), &service.user_password)]
        .into_iter()
        .filter_map(|(name, password)| match password {
            RolePassword::Given(password) => Some(user(&name, password)),
            RolePassword::Generate => None,
        })
        .collect()
}

fn user(name: &str, password: &Secret) -> PoolUser {
    PoolUser { name: name.to_owned(), password: password.clone() }
}

/// `pool_passwd`: one line per role. SCRAM to a backend needs the password, a verifier of pg_authid would not do.
pub fn pool_passwd(users: &[PoolUser], pool_key: &Secret) -> anyhow::Result<String> {
    let mut body = String::new();
    for user in users {
        let line = pool_passwd::pool_entry(user.password.expose(), pool_key.expose())
            .and_then(|entry| quote::pool_passwd_line(&user.name, &entry))
            .with_context(|| format!("write role {} to pool_passwd", user.name))?;
        body.push_str(&line);
        body.push('\n');
    }
    Ok(body)
}

/// The names alone, quoted for pool_hba.conf. Never empty: pgpool would drop the field, and misread the line.
pub fn known_users(users: &[PoolUser]) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct KnownUsers {
        roles: Vec<String>,
    }
    let roles = users.iter().map(|user| Ok(quote::hba_name(&user.name)?)).collect::<anyhow::Result<_>>()?;
    render("known_users", &KnownUsers { roles })
}
