//! Takes over what was changed in files since this container started: reads them again, writes all generated files or none, and lets
//! the server read them. What the server refuses is put back.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio_postgres::Client;

use crate::act::command::Command;
use crate::act::file::{self, Durability};
use crate::act::signal::StopSignals;
use crate::act::workplace::RUN_DIR;
use crate::act::{configuration, kept, marker, provision, rotation, tls};
use crate::link::{Address, Link};
use crate::model::{NodeNumber, ParameterFloor, Reach, Takes};
use crate::observe::passwords::{self, IN_USE, KNOWN};
use crate::observe::tools::Tools;
use crate::observe::{environment, peer};
use crate::plan::{reload, rotation as decision};
use crate::render::{RenderedFile, paths, postgres_files, scram};
use crate::spec::{ClusterKind, ClusterSpec, PostgresSpec, Snapshot};

const DEADLINE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// What a reload would write, and what it would say of it.
pub struct Draft<S> {
    pub spec: S,
    /// Those that differ from what is there.
    pub files: Vec<RenderedFile>,
    pub lines: Vec<String>,
}

/// The environment as it is now, and which password of `repmgr` is in use then. `wanted`: `REPMGRPWD` of that environment.
pub fn environment_now(kept: &Snapshot, old: &ClusterSpec, new: &ClusterSpec) -> (Snapshot, Takes) {
    let (previous, takes) = decision::previous(old, new.wanted_password(), passwords::held());
    (environment::read_again(kept).with_previous(previous.as_ref()), takes)
}

/// What of a draft both images have: the kept environment first, and only what differs.
pub fn differing(
    snapshot: &Snapshot,
    cluster: &ClusterSpec,
    takes: Takes,
    rendered: Vec<RenderedFile>,
) -> anyhow::Result<Vec<RenderedFile>> {
    let mut files = kept::files(snapshot, cluster)?;
    files.push(rotation::in_use_file(takes));
    files.extend(rendered);
    let is_known = |text: &str| cluster.wanted_password().is_some_and(|wanted| scram::matches(text.trim(), wanted.expose()));
    files.retain(|file| {
        let there = fs::read_to_string(&file.path).unwrap_or_default();
        // A verifier of the same password looks different each time.
        if file.path == Path::new(KNOWN) { !is_known(&there) } else { there != file.body }
    });
    Ok(files)
}

/// One line for each file that differs, the parameters in it with `word` for each, and the passwords.
pub fn describe(files: &[RenderedFile], passwords: &[String], word: impl Fn(&str) -> &'static str) -> Vec<String> {
    let ours = [environment::KEPT, KNOWN, IN_USE];
    let shown = files.iter().filter(|file| !ours.iter().any(|path| file.path == Path::new(path)));
    let mut lines: Vec<String> = shown
        .map(|file| {
            let is_conf = [paths::POSTGRESQL_CONF, paths::PGPOOL_CONF].iter().any(|path| file.path == Path::new(path));
            let there = fs::read_to_string(&file.path).unwrap_or_default();
            let named = if is_conf { reload::parameters(&there, &file.body) } else { Vec::new() };
            let named: Vec<String> = named.iter().map(|name| format!("{name} ({})", word(name))).collect();
            let path = file.path.display();
            if named.is_empty() { format!("write {path}") } else { format!("write {path}: {}", named.join(", ")) }
        })
        .collect();
    if !passwords.is_empty() {
        lines.push(format!("new passwords: {}", passwords.join(", ")));
    }
    lines
}

/// What a reload of this database container would do. Touches nothing.
pub async fn propose(kept: &Snapshot) -> anyhow::Result<Draft<PostgresSpec>> {
    let old = environment::postgres_spec(kept)?;
    let new = environment::postgres_spec(&environment::read_again(kept))?;
    let (snapshot, takes) = environment_now(kept, &old.cluster, &new.cluster);
    let new = environment::postgres_spec(&snapshot)?;
    let spec = PostgresSpec { cluster: passwords::with(&new.cluster, takes), ..new };
    let mut rendered = Vec::new();
    if let Some(files) = &spec.cluster.tls {
        let name = (spec.cluster.kind == ClusterKind::Cluster).then_some(spec.node().host.as_str());
        tls::check(&spec.cluster, name)?;
        rendered = tls::certificate(Some(files), &spec.node().host, Path::new(RUN_DIR))?;
    }
    rendered.extend(render(&spec).await?);
    let files = differing(&snapshot, &spec.cluster, takes, rendered)?;
    let local = local(&spec).await?;
    let at_start: Vec<String> = local
        .query("SELECT name FROM pg_settings WHERE context = 'postmaster'", &[])
        .await
        .context("read pg_settings")?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut changed = reload::passwords(&old.cluster, &spec.cluster);
    if old.superuser.password != spec.superuser.password {
        changed.push(spec.superuser.name.clone());
    }
    let word = |name: &str| if at_start.iter().any(|known| known == name) { "needs a restart" } else { "at once" };
    let lines = describe(&files, &changed, word);
    Ok(Draft { spec, files, lines })
}

/// As at a start: a standby takes over parameters of its primary.
async fn render(spec: &PostgresSpec) -> anyhow::Result<Vec<RenderedFile>> {
    let view = match spec.cluster.kind {
        ClusterKind::Standalone => peer::look_at_self(spec).await.0,
        ClusterKind::Cluster => peer::look(&spec.cluster, spec.cluster.nodes.iter()).await,
    };
    let own = view.reach(spec.me).and_then(Reach::serving);
    let floor = own.map_or_else(ParameterFloor::default, |state| state.parameters);
    postgres_files(spec, &configuration::facts(spec, floor, view.primary().map(|(_, state)| state))?)
}

async fn local(spec: &PostgresSpec) -> anyhow::Result<Link> {
    own_server(spec).connect_in_time("repmgr").await.context("no server runs here yet")
}

fn own_server(spec: &PostgresSpec) -> Address {
    Address::Socket { dir: "/run/postgresql".into(), port: spec.node().port, user: spec.superuser.name.clone() }
}

/// Writes, lets the server judge, and reload; what was done, one line each.
pub async fn carry_out(draft: &Draft<PostgresSpec>, stop: &StopSignals) -> anyhow::Result<Vec<String>> {
    let spec = &draft.spec;
    let client = local(spec).await?;
    let before = read_back(&draft.files);
    file::write_all(&draft.files, Durability::Rebuilt).context("write the files")?;
    if let Err(error) = judge(spec, &client, stop).await {
        put_back(&before)?;
        bail!("the server refuses the new files, and they were put back: {error:#}");
    }
    let mut said = vec![reload_server(spec, &client).await?];
    let is_primary = "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off'";
    let is_primary: bool = client.query_one(is_primary, &[]).await?.get(0);
    if is_primary && !marker::is_provisioned(&spec.data_dir, spec) {
        said.extend(provision_again(spec).await?);
    }
    said.extend(rotation::keep_up_postgres(spec, &client, is_primary).await);
    Ok(said)
}

async fn provision_again(spec: &PostgresSpec) -> anyhow::Result<Vec<String>> {
    let data = &spec.data_dir;
    let origin = marker::read(data).map_or(marker::Origin::Adopted, |marker| marker.origin);
    let me: NodeNumber = spec.me;
    let report = provision::provision(spec, &own_server(spec), me, data, "reloaded").await.context("provision this server")?;
    marker::write(data, spec, origin)?;
    let changed = report.changed_passwords.iter().map(|role| format!("changed the password of {role}"));
    let created = (report.created_roles > 0).then(|| format!("created {} roles", report.created_roles));
    Ok(changed.chain(created).collect())
}

type Before = Vec<(RenderedFile, bool)>;

/// The files as they are; false = it is not there.
fn read_back(files: &[RenderedFile]) -> Before {
    let read = |file: &RenderedFile| match fs::read_to_string(&file.path) {
        Ok(body) => (RenderedFile { body, ..file.clone() }, true),
        Err(_) => (file.clone(), false),
    };
    files.iter().map(read).collect()
}

fn put_back(before: &Before) -> anyhow::Result<()> {
    let (there, new): (Vec<_>, Vec<_>) = before.iter().cloned().partition(|(_, was_there)| *was_there);
    file::write_all(&there.into_iter().map(|(file, _)| file).collect::<Vec<_>>(), Durability::Rebuilt)?;
    new.iter().try_for_each(|(file, _)| fs::remove_file(&file.path)).context("remove what was not there before")
}

/// PostgreSQL reads the files as it would at its next start, without starting, and the access rules as it would at a reload.
async fn judge(spec: &PostgresSpec, client: &Client, stop: &StopSignals) -> anyhow::Result<()> {
    let tools = Tools::find()?;
    let args = ["-C".as_ref(), "port".as_ref(), "-D".as_ref(), spec.data_dir.as_os_str()];
    Command::new(&tools.postgres).args(args).timeout(DEADLINE).run(stop).await?;
    let question = "SELECT coalesce(min(file_name || ', line ' || line_number || ': ' || error), '') FROM pg_hba_file_rules WHERE error IS NOT NULL";
    let question = if spec.major < 16 { question.replace("file_name", "'pg_hba.conf'") } else { question.to_owned() };
    let wrong: String = client.query_one(&question, &[]).await.context("read the access rules")?.get(0);
    if wrong.is_empty() { Ok(()) } else { bail!("{wrong}") }
}

/// Returns when the server has read its files, with what it leaves to its next start.
async fn reload_server(spec: &PostgresSpec, client: &Client) -> anyhow::Result<String> {
    let loaded = "SELECT extract(epoch FROM pg_conf_load_time())::float8";
    let before: f64 = local(spec).await?.query_one(loaded, &[]).await?.get(0);
    client.batch_execute("SELECT pg_reload_conf()").await.context("reload the server")?;
    let began = Instant::now();
    // A session knows what the server knew when it began.
    while local(spec).await?.query_one(loaded, &[]).await?.get::<_, f64>(0) <= before {
        anyhow::ensure!(began.elapsed() < DEADLINE, "the server has not read its files after {} s", DEADLINE.as_secs());
        tokio::time::sleep(POLL).await;
    }
    let pending = "SELECT coalesce(string_agg(name, ', ' ORDER BY name), '') FROM pg_settings WHERE pending_restart";
    let pending: String = local(spec).await?.query_one(pending, &[]).await?.get(0);
    Ok(match pending.is_empty() {
        true => "reloaded the server".into(),
        false => format!("reloaded the server; these need a restart: {pending}"),
    })
}
