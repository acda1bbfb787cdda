//! `/docker-entrypoint-initdb.d`, with the official image's rules: once, on first initialisation, in name order of the C locale.
//!
//! `.sh` is executed if it is executable, else sourced by bash; `.sql`, `.sql.gz`, `.sql.xz`, `.sql.zst` go through psql with
//! ON_ERROR_STOP; anything else is ignored with a warning. Source: docker-library/postgres, `docker_process_init_files`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::act::command::Command;
use crate::act::workplace::Workplace;

const DIRECTORY: &str = "/docker-entrypoint-initdb.d";
/// A script may load a dump; docker's stop signal ends it at any time.
const DEADLINE: Duration = Duration::from_secs(24 * 3600);
/// What sourced scripts of the official image may call.
const PRELUDE: &str = r#"
set -Eeo pipefail
docker_process_sql() { psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc ${POSTGRES_DB:+--dbname "$POSTGRES_DB"} "$@"; }
psql=( psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc )
. "$0"
"#;

/// The scripts in the order in which they run.
pub fn list() -> anyhow::Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(DIRECTORY) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().context("read init scripts")?;
    paths.sort();
    Ok(paths)
}

/// Runs them against the temporary server at the usual socket, whose directory is `data`.
pub async fn run(work: &Workplace<'_>, data: &Path, scripts: &[PathBuf]) -> anyhow::Result<()> {
    for path in scripts {
        match command_for(work, path)? {
            Some(command) => {
                tracing::info!("run {}", path.display());
                run_one(work, data, command).await.with_context(|| format!("run {}", path.display()))?;
            }
            None => tracing::warn!("ignore {}: no .sh, .sql, .sql.gz, .sql.xz or .sql.zst", path.display()),
        }
    }
    Ok(())
}

fn command_for(work: &Workplace<'_>, path: &Path) -> anyhow::Result<Option<Command>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let meta = fs::metadata(path).with_context(|| format!("read {}", path.display()))?;
    let psql = work.tools.psql.display();
    let psql = |before: &str, after: &str| {
        let line = format!(
            r#"set -o pipefail; {before} {psql} -v ON_ERROR_STOP=1 --no-psqlrc --no-password --quiet --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" {after}"#
        );
        Command::new("bash").args([OsStr::new("-c"), OsStr::new(&line), path.as_os_str()])
    };
    let unpacked = |program: &str| psql(&format!(r#"{program} < "$0" |"#), "");
    let is = |suffix: &str| meta.is_file() && name.ends_with(suffix);
    Ok(if is(".sh") && meta.permissions().mode() & 0o111 != 0 {
        Some(Command::new(path))
    } else if is(".sh") {
        Some(Command::new("bash").args([OsStr::new("-c"), OsStr::new(PRELUDE), path.as_os_str()]))
    } else if is(".sql") {
        Some(psql("", r#"--file "$0""#))
    } else if is(".sql.gz") {
        Some(unpacked("gunzip -c"))
    } else if is(".sql.xz") {
        Some(unpacked("xzcat"))
    } else if is(".sql.zst") {
        Some(unpacked("zstd -dc"))
    } else {
        None
    })
}

/// With the container's whole environment, as the official image does: scripts read their own variables from it.
async fn run_one(work: &Workplace<'_>, data: &Path, mut command: Command) -> anyhow::Result<()> {
    for (name, value) in std::env::vars_os().filter(|(name, _)| name != "PGPASSFILE") {
        command = command.env(name, value);
    }
    let superuser = &work.spec.superuser;
    command = command
        .env("POSTGRES_USER", &superuser.name)
        .env("POSTGRES_DB", &superuser.database)
        .env("PGDATA", data)
        .env("PGUSER", &superuser.name)
        .env("PGDATABASE", &superuser.database)
        .env("PGHOST", "/run/postgresql");
    if let Some(password) = &superuser.password {
        command = command.secret_env("POSTGRES_PASSWORD", password.expose());
    }
    command.timeout(DEADLINE).on_line(|line| tracing::info!("{line}")).run(work.stop).await?;
    Ok(())
}
