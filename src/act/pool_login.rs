//! Logs in to the primary as every role whose password pgpool was given, so that a wrong one is known before a client finds out.

use std::time::Duration;

use futures_util::StreamExt;

use crate::link::Address;
use crate::model::ClusterView;
use crate::plan::provision::REPMGR;
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::spec::{ClusterSpec, Node, PgpoolSpec, RolePassword, Secret};

const AT_ONCE: usize = 8;
/// For all logins together; a thousand services must not hold up the start for ever.
const DEADLINE: Duration = Duration::from_secs(15);

/// One warning per role that cannot log in, with the reason. Never stops the start: the other roles shall be served.
pub async fn check(spec: &PgpoolSpec, view: &ClusterView) {
    let Some((number, _)) = view.primary() else { return };
    let node = &spec.cluster.nodes[number.index()];
    let logins = known_roles(spec);
    let total = logins.len();
    let attempts = futures_util::stream::iter(logins)
        .map(|(role, database, password)| log_in(&spec.cluster, node, role, database, password));
    let mut results = attempts.buffer_unordered(AT_ONCE);
    let mut good = 0;
    let all = async {
        while let Some(result) = results.next().await {
            match result {
                Ok(()) => good += 1,
                Err((role, reason)) => tracing::warn!("pool_passwd: {role} cannot log in to {}: {reason}", node.name),
            }
        }
    };
    if tokio::time::timeout(DEADLINE, all).await.is_err() {
        tracing::warn!("pool_passwd: not every role could be checked in {} s", DEADLINE.as_secs());
    }
    tracing::info!("pool_passwd: {good} of {total} roles log in to {}", node.name);
}

fn known_roles(spec: &PgpoolSpec) -> Vec<(String, String, Secret)> {
    let cluster = &spec.cluster;
    let mut roles = Vec::new();
    if let Some(password) = &cluster.repmgr_password {
        roles.push((REPMGR.to_string(), "repmgr".to_string(), password.clone()));
        roles.push((CHECK_ROLE.to_string(), "postgres".to_string(), check_password(password)));
    }
    for service in &cluster.services {
        for (role, password) in [(service.owner(), &service.owner_password), (service.user(), &service.user_password)] {
            if let RolePassword::Given(secret) = password {
                roles.push((role, cluster.database.clone(), secret.clone()));
            }
        }
    }
    roles
}

async fn log_in(
    cluster: &ClusterSpec,
    node: &Node,
    role: String,
    database: String,
    password: Secret,
) -> Result<(), (String, String)> {
    match Address::of(cluster, node, &role, Some(password)).connect_in_time(&database).await {
        Ok(_) => Ok(()),
        Err(error) => Err((role, format!("{:#}", error))),
    }
}
