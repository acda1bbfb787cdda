//! Makes the roles, databases, schemas and grants of `plan::provision` true on a primary. Idempotent: killed anywhere, run again.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use tokio_postgres::Client;

use crate::act::fault_point::fault_point;
use crate::link::Address;
use crate::model::NodeNumber;
use crate::plan::provision::{self, Found, WantedRole};
use crate::render::quote::sql_identifier;
use crate::render::scram;
use crate::spec::{PostgresSpec, RolePassword, Secret};

/// Advisory lock in database `postgres`; any number that nobody else uses.
const PROVISION_LOCK: i64 = 0x7067_636c_7573_7402;
/// PostgreSQL's own default (`scram_iterations`).
const ITERATIONS: u32 = 4096;
/// Clear passwords that nobody gave and we made up, one `role:password` per line, mode 0600, in the data directory.
pub const GENERATED_PASSWORDS: &str = "pgcluster.passwords";

/// What changed, for the log.
#[derive(Debug, Default, PartialEq)]
pub struct Report {
    pub created_roles: usize,
    pub changed_passwords: Vec<String>,
    pub removed_services: Vec<String>,
}

/// `server` is the temporary server of this node or a remote `primary`. `data_dir`: where generated passwords are kept.
pub async fn provision(
    spec: &PostgresSpec,
    server: &Address,
    primary: NodeNumber,
    data_dir: &Path,
    reason: &str,
) -> anyhow::Result<Report> {
    let client = server.connect("postgres").await.with_context(|| format!("connect to {server}, database postgres"))?;
    quiet(&client).await?;
    wait_for_others(&client).await?;
    let mut found = read_found(&client).await?;
    let wanted = provision::wanted_roles(spec);
    let to_set: Vec<_> = wanted.iter().filter(|role| !provision::is_left_alone(&spec.cluster, role, &found)).cloned().collect();
    let verifiers = new_verifiers(&to_set, &found, data_dir).await?;
    run(&client, "roles", &provision::role_statements(&wanted, &found, &verifiers)?).await?;
    fault_point("provision-roles");
    for name in provision::wanted_databases(spec).iter().filter(|name| !found.databases.contains(*name)) {
        create_database(&client, name).await?;
        fault_point("provision-database");
    }
    let repmgr = server.connect("repmgr").await.context("connect to database repmgr")?;
    quiet(&repmgr).await?;
    run(&repmgr, "metadata", &provision::METADATA_STATEMENTS).await?;
    fault_point("provision-metadata");
    found.services = read_services(&repmgr).await?;
    let services = &spec.cluster.services;
    if !services.is_empty() {
        let database = server.connect(&spec.cluster.database).await.context("connect to the services' database")?;
        quiet(&database).await?;
        run(&database, "services", &provision::service_statements(services, &found, spec.major)?).await?;
        fault_point("provision-services");
    }
    run(&repmgr, "service list", provision::service_rows(services, &found)?.as_slice()).await?;
    run(&repmgr, "first reign", &provision::first_reign_statements(&spec.cluster, primary, reason)?).await?;
    Ok(Report {
        created_roles: wanted.iter().filter(|role| !found.roles.contains_key(&role.name)).count(),
        changed_passwords: verifiers.into_keys().filter(|name| found.roles.contains_key(name)).collect(),
        removed_services: provision::removed_services(services, &found).into_iter().map(String::from).collect(),
    })
}

/// One implicit transaction, so a killed connection leaves all of it or nothing.
async fn run(client: &Client, what: &str, statements: &[impl AsRef<str>]) -> anyhow::Result<()> {
    if statements.is_empty() {
        return Ok(());
    }
    let text: Vec<&str> = statements.iter().map(AsRef::as_ref).collect();
    client.batch_execute(&text.join(";\n")).await.with_context(|| format!("provision {what}"))
}

/// Not even a verifier belongs into the server's log.
pub async fn quiet(client: &Client) -> anyhow::Result<()> {
    let text = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_min_error_statement = 'panic'";
    client.batch_execute(text).await.context("quiet the session's logging")
}

/// Nodes that restart together bring the same new list: one after another. The lock goes with the session.
async fn wait_for_others(client: &Client) -> anyhow::Result<()> {
    let text = format!("SET lock_timeout = '120s'; SELECT pg_advisory_lock({PROVISION_LOCK})");
    client.batch_execute(&text).await.context("wait for another node that provisions")
}

async fn read_found(client: &Client) -> anyhow::Result<Found> {
    let roles = client.query("SELECT rolname, rolpassword FROM pg_authid", &[]).await.context("read pg_authid")?;
    let databases = client.query("SELECT datname FROM pg_database", &[]).await.context("read pg_database")?;
    Ok(Found {
        roles: roles.iter().map(|row| (row.get(0), row.get(1))).collect(),
        databases: databases.iter().map(|row| row.get(0)).collect(),
        services: Default::default(),
    })
}

async fn read_services(client: &Client) -> anyhow::Result<std::collections::BTreeSet<String>> {
    let rows = client.query("SELECT name FROM pgcluster.service", &[]).await.context("read pgcluster.service")?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn create_database(client: &Client, name: &str) -> anyhow::Result<()> {
    let statement = format!("CREATE DATABASE {}", sql_identifier(name)?);
    client.batch_execute(&statement).await.with_context(|| format!("create database {name}"))
}

/// The verifier of every role that is new or whose password differs.
async fn new_verifiers(wanted: &[WantedRole], found: &Found, data_dir: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let (wanted, found) = (wanted.to_vec(), found.clone());
    // Seconds for a thousand services, in which a stop must be seen and peers be answered.
    let made = tokio::task::spawn_blocking(move || make_verifiers(&wanted, &found)).await.context("compute the verifiers")?;
    let mut verifiers = BTreeMap::new();
    let mut generated = Vec::new();
    for (name, verifier, made_up) in made {
        generated.extend(made_up.map(|password| (name.clone(), password)));
        verifiers.insert(name, verifier);
    }
    keep_generated(&generated, data_dir)?;
    Ok(verifiers)
}

type NewVerifier = (String, String, Option<Secret>);

/// On all processors.
fn make_verifiers(wanted: &[WantedRole], found: &Found) -> Vec<NewVerifier> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = wanted.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = wanted
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().filter_map(|role| new_verifier(role, found)).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    })
}

fn new_verifier(role: &WantedRole, found: &Found) -> Option<NewVerifier> {
    let existing = found.roles.get(&role.name);
    let make = |password: &str| scram::verifier(password, rand::random(), ITERATIONS);
    match (role.password.as_ref()?, existing) {
        (RolePassword::Given(secret), Some(Some(verifier))) if scram::matches(verifier, secret.expose()) => None,
        (RolePassword::Given(secret), _) => Some((role.name.clone(), make(secret.expose()), None)),
        (RolePassword::Generate, Some(_)) => None,
        (RolePassword::Generate, None) => {
            let password = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>());
            Some((role.name.clone(), make(&password), Some(Secret::new(password))))
        }
    }
}

fn keep_generated(generated: &[(String, Secret)], data_dir: &Path) -> anyhow::Result<()> {
    if generated.is_empty() {
        return Ok(());
    }
    let path = data_dir.join(GENERATED_PASSWORDS);
    let lines: String = generated.iter().map(|(role, password)| format!("{role}:{}\n", password.expose())).collect();
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("open {}", path.display()))?;
    file.write_all(lines.as_bytes()).and_then(|()| file.sync_all()).with_context(|| format!("write {}", path.display()))?;
    let roles: Vec<&str> = generated.iter().map(|(role, _)| role.as_str()).collect();
    tracing::info!("made up passwords for {}, kept in {GENERATED_PASSWORDS} of the data directory", roles.join(", "));
    Ok(())
}
