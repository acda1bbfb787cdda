//! Whether the roles of the services are as the environment wants them: questions to the primary, to pool_passwd, and logins.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use futures_util::StreamExt;
use tokio_postgres::Client;
use tokio_postgres::NoTls;
use tokio_postgres::config::ChannelBinding;

use crate::link::{Address, CONNECT_DEADLINE, Link};
use crate::model::RoleReport;
use crate::observe::pool::SOCKET_DIR;
use crate::render::paths::POOL_PASSWD;
use crate::spec::{ClusterSpec, Node, PgpoolSpec, RolePassword, Secret};

const AT_ONCE: usize = 8;
/// Around one login through pgpool: its children may be busy with others.
const POOL_DEADLINE: Duration = Duration::from_millis(3000);

/// One role of a service and what it should log in with.
struct Wanted {
    role: String,
    password: Option<Secret>,
}

/// Every role of `MSLIST`, in its order. `primary`: the node and a session as `repmgr`; none = nothing is known of the server's side.
pub async fn check(cluster: &ClusterSpec, primary: Option<(&Node, &Link)>, pool: Option<&PgpoolSpec>) -> Vec<RoleReport> {
    let existing = match primary {
        Some((_, client)) => existing_roles(client).await,
        None => None,
    };
    let in_pool = pool.map(|_| pool_roles());
    let checks = wanted(cluster).into_iter().map(|wanted| {
        let (existing, in_pool) = (&existing, &in_pool);
        async move {
            let direct = match (primary, &wanted.password) {
                (Some((node, _)), Some(password)) => Some(log_in(cluster, node, &wanted.role, password).await),
                (None, _) | (_, None) => None,
            };
            let through = match (pool, &wanted.password) {
                (Some(spec), Some(password)) => Some(log_in_through(spec, &wanted.role, password, &cluster.database).await),
                (None, _) | (_, None) => None,
            };
            let error = [&direct, &through].into_iter().flatten().find_map(|result| result.as_ref().err().cloned());
            RoleReport {
                exists: existing.as_ref().map(|roles| roles.contains(&wanted.role)),
                has_password: wanted.password.is_some(),
                password_right: direct.map(|result| result.is_ok()),
                in_pool_passwd: in_pool.as_ref().map(|roles| roles.contains(&wanted.role)),
                through_pgpool: through.map(|result| result.is_ok()),
                role: wanted.role,
                error,
            }
        }
    });
    futures_util::stream::iter(checks).buffered(AT_ONCE).collect().await
}

fn wanted(cluster: &ClusterSpec) -> Vec<Wanted> {
    let role = |role: String, password: &RolePassword| Wanted {
        role,
        password: match password {
            RolePassword::Given(secret) => Some(secret.clone()),
            RolePassword::Generate => None,
        },
    };
    cluster
        .services
        .iter()
        .flat_map(|service| [role(service.owner(), &service.owner_password), role(service.user(), &service.user_password)])
        .collect()
}

async fn existing_roles(client: &Client) -> Option<BTreeSet<String>> {
    let question = "SELECT rolname::text FROM pg_roles WHERE rolcanlogin";
    let rows = tokio::time::timeout(CONNECT_DEADLINE, client.query(question, &[])).await.ok()?.ok()?;
    Some(rows.iter().map(|row| row.get(0)).collect())
}

/// The names in pool_passwd: `"name":AES…` or `name:AES…`.
fn pool_roles() -> BTreeSet<String> {
    let text = fs::read_to_string(POOL_PASSWD).unwrap_or_default();
    text.lines().filter_map(|line| Some(line.split_once(':')?.0.trim_matches('"').to_owned())).collect()
}

/// SCRAM with channel binding, as every login of ours.
async fn log_in(cluster: &ClusterSpec, node: &Node, role: &str, password: &Secret) -> Result<(), String> {
    let address = Address::of(cluster, node, role, Some(password.clone()));
    address.connect_in_time(&cluster.database).await.map(drop).map_err(|error| format!("{error:#}"))
}

async fn log_in_through(spec: &PgpoolSpec, role: &str, password: &Secret, database: &str) -> Result<(), String> {
    through_pool(spec, role, password, database).await.map(drop).map_err(|error| format!("{error:#}"))
}

/// A session through pgpool, by its socket, which asks a backend before it says yes.
pub async fn through_pool(spec: &PgpoolSpec, role: &str, password: &Secret, database: &str) -> anyhow::Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(SOCKET_DIR).port(spec.port).user(role).dbname(database).application_name("pgcluster");
    config.channel_binding(ChannelBinding::Disable).connect_timeout(CONNECT_DEADLINE).password(password.expose());
    let connect = async {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("SELECT 1").await?;
        Ok::<_, tokio_postgres::Error>(client)
    };
    match tokio::time::timeout(POOL_DEADLINE, connect).await {
        Ok(session) => Ok(session?),
        Err(_) => anyhow::bail!("no answer through pgpool in {} ms", POOL_DEADLINE.as_millis()),
    }
}
