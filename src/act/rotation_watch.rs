//! A process in a pgpool container that lives while `REPMGRPWD` changes: it tells the primary that this pgpool knows the new password,
//! and makes pgpool take it at the moment when the primary's roles are about to.
//!
//! pgpool logs in as its own role every two seconds, and gives up a server that refuses three times: the health check of this container
//! would come too late for that.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use tokio_postgres::Client;

use crate::act::lock::try_lock;
use crate::act::{provision, rotation};
use crate::link::Link;
use crate::model::Takes;
use crate::observe::passwords::KNOWN;
use crate::observe::peer::{control_address, look};
use crate::observe::pool_processes::main_process;
use crate::render::check_role::CHECK_ROLE;
use crate::render::paths;
use crate::spec::{PgpoolSpec, Secret};

/// The name of the subcommand; not for people.
pub const NAME: &str = "watch-password";
const LOCK: &str = "/run/pgcluster/password_watch.lock";

const PAUSE: Duration = Duration::from_millis(100);
const DEADLINE: Duration = Duration::from_secs(2);
/// For the primary's own step after ours; then the health check looks what became of it.
const CHANGE_PATIENCE: Duration = Duration::from_secs(3);

/// One row per pgpool. `state`: `seen` by the primary; `starting`, `watching`; `go` is the primary's order, `switched` the answer.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS pgcluster.rotation (
    address inet PRIMARY KEY, known text NOT NULL, state text NOT NULL, at timestamptz NOT NULL DEFAULT now())";

/// Starts the process; not waited for.
pub fn leave_behind() -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new("/proc/self/exe");
    command.arg(NAME).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().map(drop)
}

/// Who holds it writes the password files; none if another process does.
pub fn lock() -> io::Result<Option<File>> {
    try_lock(Path::new(LOCK))
}

/// The primary must not change its roles before this pgpool is up: for a minute at most.
pub async fn announce_start(spec: &PgpoolSpec) {
    let announced = async {
        let primary = session(spec).await?;
        announce(&primary, "starting").await
    };
    if let Ok(Err(error)) | Err(error) = tokio::time::timeout(DEADLINE, announced).await.map_err(anyhow::Error::from) {
        tracing::warn!("the primary was not told that this pgpool starts: {error:#}");
    }
}

/// Until the change is done, or somebody else has to look: an error, another password, no answer.
pub async fn watch(spec: &PgpoolSpec) -> anyhow::Result<()> {
    let Some(_lock) = lock()? else { return Ok(()) };
    let client = in_time(session(spec)).await?;
    let known = fs::read_to_string(KNOWN)?;
    in_time(announce(&client, "watching")).await?;
    loop {
        tokio::time::sleep(PAUSE).await;
        match in_time(state(&client)).await?.as_deref() {
            Some("watching") if fs::read_to_string(KNOWN)? == known => {}
            Some("go") => break,
            Some(_) | None => return Ok(()),
        }
    }
    rotation::take_in_pgpool(spec, Takes::Wanted)?;
    // pgpool's processes take a moment to hear of it.
    tokio::time::sleep(PAUSE).await;
    in_time(set_state(&client, "switched")).await?;
    let began = Instant::now();
    while began.elapsed() < CHANGE_PATIENCE && in_time(state(&client)).await?.is_some() {
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// As `repmgr`, on the primary.
async fn session(spec: &PgpoolSpec) -> anyhow::Result<Link> {
    let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    let (primary, _) = view.primary().context("nobody is primary")?;
    let client = control_address(&spec.cluster, &spec.cluster.nodes[primary.index()]).connect_in_time("repmgr").await?;
    provision::quiet(&client).await?;
    Ok(client)
}

async fn announce(client: &Client, state: &str) -> anyhow::Result<()> {
    client.batch_execute(TABLE).await.context("make the table of the announcements")?;
    let known = fs::read_to_string(KNOWN).with_context(|| format!("read {KNOWN}"))?;
    let statement = "INSERT INTO pgcluster.rotation (address, known, state) VALUES (inet_client_addr(), $1, $2) \
         ON CONFLICT (address) DO UPDATE SET (known, state, at) = (excluded.known, excluded.state, excluded.at)";
    client.execute(statement, &[&known.trim(), &state]).await.context("announce this pgpool")?;
    Ok(())
}

/// On the primary: a pgpool that was there a moment ago may come back, and with the old password.
pub async fn remember_pools(local: &Client) -> anyhow::Result<()> {
    let statement = "INSERT INTO pgcluster.rotation (address, known, state) \
         SELECT DISTINCT host(client_addr)::inet, '', 'seen' FROM pg_stat_activity WHERE usename = $1 AND client_addr IS NOT NULL \
         ON CONFLICT (address) DO UPDATE SET at = excluded.at WHERE rotation.state = 'seen'";
    local.batch_execute(TABLE).await.context("make the table of the announcements")?;
    local.execute(statement, &[&CHECK_ROLE]).await.context("remember the pgpools that are connected")?;
    Ok(())
}

async fn state(client: &Client) -> anyhow::Result<Option<String>> {
    let question = "SELECT state FROM pgcluster.rotation WHERE address = inet_client_addr()";
    Ok(client.query_opt(question, &[]).await?.map(|row| row.get(0)))
}

async fn set_state(client: &Client, state: &str) -> anyhow::Result<()> {
    client.execute("UPDATE pgcluster.rotation SET state = $1 WHERE address = inet_client_addr()", &[&state]).await?;
    Ok(())
}

async fn in_time<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(DEADLINE, work).await.context("no answer from the primary")?
}

/// SIGHUP: pgpool and its children read their files again.
pub fn reload_pgpool() -> anyhow::Result<()> {
    kill(main_process().context("pgpool's process id is not in its file")?, Signal::SIGHUP).context("reload pgpool")
}

/// The key of this pgpool's pool_passwd: random, made at its start.
pub fn pool_key() -> anyhow::Result<Secret> {
    let text = fs::read_to_string(paths::PGPOOL_KEY).with_context(|| format!("read {}", paths::PGPOOL_KEY))?;
    Ok(Secret::new(text.trim_end()))
}
