//! Carries a change of `REPMGRPWD` through: the primary's roles, and in every container the files that hold the password.
//!
//! Called at each start and by each health check: whatever died in between is done by the next one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio_postgres::Client;

use crate::act::file::{self, Durability};
use crate::act::{kept, provision, rotation_watch};
use crate::model::{ClusterView, NodeNumber, Taken, Takes};
use crate::observe::passwords::{self, IN_USE, PREVIOUS};
use crate::plan::provision::{REPMGR, password_statement};
use crate::plan::rotation::{self, Files, Roles};
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::render::pgpool::with_sr_check_password;
use crate::render::{RenderedFile, paths, pgpass, pool_users, scram};
use crate::spec::{ClusterSpec, PgpoolSpec, PostgresSpec, Secret};

/// For pgpools that were told to take the new password; pgpool tries a failed health check again after a second.
const POOLS_DEADLINE: Duration = Duration::from_millis(800);
const POLL: Duration = Duration::from_millis(20);

/// The cluster as its servers take it now, for the files of a start.
pub async fn with_password_in_use(cluster: &ClusterSpec) -> anyhow::Result<ClusterSpec> {
    if !cluster.is_rotating() {
        return Ok(cluster.clone());
    }
    let takes = rotation::in_use(&passwords::ask(cluster).await).unwrap_or(Takes::Wanted);
    file::write_all(&[in_use_file(takes)], Durability::Rebuilt)?;
    Ok(passwords::with(cluster, takes))
}

/// Said once in a start that waits: what a person can do about servers that do not take our password.
pub fn advise(cluster: &ClusterSpec, view: &ClusterView, said: &mut Option<String>) {
    let advice = rotation::advice(view, |number: NodeNumber| cluster.nodes[number.index()].name.to_string());
    if advice.is_some() && *said != advice {
        tracing::warn!("{}", advice.as_deref().unwrap_or_default());
    }
    *said = advice;
}

/// What was done, one line each. `local`: a superuser's session on this node's server.
pub async fn keep_up_postgres(spec: &PostgresSpec, local: &Client, is_reigning: bool) -> Vec<String> {
    let mut said = Vec::new();
    if is_reigning {
        let kept = keep_roles(spec, local).await;
        said.extend(kept.unwrap_or_else(|error| Some(format!("the password of repmgr was not changed: {error:#}"))));
    }
    let write = |cluster: &ClusterSpec| Ok(pgpass_file(cluster)?.into_iter().collect());
    said.extend(keep_files(&spec.cluster, write).await.unwrap_or_else(|error| Some(format!("{error:#}"))));
    said
}

/// The same for a pgpool, and what its spec is now. While a watcher is there, it does what has to be done.
pub async fn keep_up_pgpool(spec: &PgpoolSpec) -> (PgpoolSpec, Vec<String>) {
    let now = || PgpoolSpec { cluster: passwords::with(&spec.cluster, passwords::held()), ..spec.clone() };
    if !spec.cluster.is_rotating() {
        return (spec.clone(), Vec::new());
    }
    let watch = match rotation_watch::lock() {
        Ok(Some(watch)) => watch,
        Ok(None) => return (now(), vec!["the password of repmgr is about to change".into()]),
        Err(error) => return (now(), vec![format!("take the watcher's lock: {error}")]),
    };
    let said = keep_files(&spec.cluster, pool_files).await.unwrap_or_else(|error| Some(format!("{error:#}")));
    if said.is_some() {
        let _ = rotation_watch::reload_pgpool();
    }
    drop(watch);
    if passwords::held() == Takes::Previous {
        let _ = rotation_watch::leave_behind();
    }
    (now(), said.into_iter().collect())
}

/// pgpool's own logins, for this one of the passwords: it asks for them at once.
pub fn take_in_pgpool(spec: &PgpoolSpec, takes: Takes) -> anyhow::Result<()> {
    let mut files = pool_files(&passwords::with(&spec.cluster, takes))?;
    files.push(in_use_file(takes));
    file::write_all(&files, Durability::Rebuilt)?;
    rotation_watch::reload_pgpool()
}

pub fn in_use_file(takes: Takes) -> RenderedFile {
    let word = match takes {
        Takes::Wanted => "wanted",
        Takes::Previous => PREVIOUS,
    };
    RenderedFile { path: IN_USE.into(), mode: 0o600, body: format!("{word}\n") }
}

async fn keep_files(
    cluster: &ClusterSpec,
    render: impl Fn(&ClusterSpec) -> anyhow::Result<Vec<RenderedFile>>,
) -> anyhow::Result<Option<String>> {
    if !cluster.is_rotating() {
        return Ok(None);
    }
    match rotation::files(passwords::held(), &passwords::ask(cluster).await) {
        Files::Keep => Ok(None),
        Files::Write(takes) => {
            let mut files = render(&passwords::with(cluster, takes))?;
            files.push(in_use_file(takes));
            file::write_all(&files, Durability::Rebuilt).context("write the password files")?;
            Ok(Some(match takes {
                Takes::Wanted => "the servers take the new password: files written".into(),
                Takes::Previous => "the servers take the previous password: files written".into(),
            }))
        }
        Files::Forget => {
            kept::forget_previous()?;
            Ok(Some("no server takes the previous password: forgotten".into()))
        }
    }
}

fn pgpass_file(cluster: &ClusterSpec) -> anyhow::Result<Option<RenderedFile>> {
    Ok(pgpass::pgpass(cluster)?.map(|body| RenderedFile { path: paths::PGPASS.into(), mode: 0o600, body }))
}

/// With the key that pgpool read at its start.
fn pool_files(cluster: &ClusterSpec) -> anyhow::Result<Vec<RenderedFile>> {
    let key = rotation_watch::pool_key()?;
    let private = |path: &str, body: String| RenderedFile { path: path.into(), mode: 0o600, body };
    let conf = std::fs::read_to_string(paths::PGPOOL_CONF).with_context(|| format!("read {}", paths::PGPOOL_CONF))?;
    let mut files = vec![
        private(paths::POOL_PASSWD, pool_users::pool_passwd(&pool_users::known(cluster, &[])?, &key)?),
        private(paths::PGPOOL_CONF, with_sr_check_password(&conf, cluster, &key)?),
    ];
    files.extend(pgpass_file(cluster)?);
    Ok(files)
}

async fn keep_roles(spec: &PostgresSpec, local: &Client) -> anyhow::Result<Option<String>> {
    let cluster = &spec.cluster;
    let Some(taken) = passwords::taken(local, cluster).await? else { return Ok(None) };
    let others = match taken {
        Taken::Previous => {
            provision::quiet(local).await?;
            rotation_watch::remember_pools(local).await?;
            passwords::readiness(local, cluster, spec.me).await?
        }
        Taken::Wanted | Taken::Neither => Vec::new(),
    };
    match rotation::roles(taken, &others) {
        Roles::Leave => Ok(None),
        Roles::Wait { because } => Ok(Some(format!("the servers keep the previous password of repmgr: {because}"))),
        Roles::Change { because } => {
            change(spec, local).await?;
            Ok(Some(format!("changed the password of repmgr: {because}")))
        }
    }
}

/// All roles whose password comes from `REPMGRPWD`, at once. The pgpools take the new one first: what fails there in between is tried
/// again by pgpool itself, a second later.
async fn change(spec: &PostgresSpec, local: &Client) -> anyhow::Result<()> {
    let wanted = spec.cluster.wanted_password().context("there is a wanted password")?;
    let verifier = |password: &Secret| scram::verifier(password.expose(), rand::random(), scram::ITERATIONS);
    let mut verifiers =
        BTreeMap::from([(REPMGR.to_string(), verifier(wanted)), (CHECK_ROLE.to_string(), verifier(&check_password(wanted)))]);
    if spec.superuser.password.as_ref() == Some(wanted) {
        verifiers.insert(spec.superuser.name.clone(), verifier(wanted));
    }
    let mut statements: Vec<String> = password_statement(&verifiers)?.into_iter().collect();
    provision::quiet(local).await?;
    if passwords::has_announcements(local).await? {
        tell_pools(local).await?;
        statements.push("DELETE FROM pgcluster.rotation".into());
    }
    // One implicit transaction.
    local.batch_execute(&statements.join(";\n")).await.context("change the roles")
}

async fn tell_pools(local: &Client) -> anyhow::Result<()> {
    local
        .batch_execute("UPDATE pgcluster.rotation SET state = 'go' WHERE state = 'watching'")
        .await
        .context("tell the pgpools")?;
    let began = Instant::now();
    let question = "SELECT count(*) FROM pgcluster.rotation WHERE state = 'go'";
    while began.elapsed() < POOLS_DEADLINE && local.query_one(question, &[]).await?.get::<_, i64>(0) > 0 {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
