//! The environment, read once: variables, the files they name, and what an entrypoint kept for later commands.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::model::foreign;
use crate::observe::host::read_host_name;
use crate::observe::passwords;
use crate::spec::{self, HostFacts, LogFormat, LogLevel, LogSpec, PgpoolSpec, PostgresSpec, RawEnv, Snapshot, Violations};

/// What the entrypoint was started with; pgpool runs the failover command with a scrubbed environment. Mode 0600, tmpfs.
pub const KEPT: &str = "/run/pgcluster/environment.json";

/// Reads the variables of this process and every file that a `NAME_FILE` names.
pub fn read() -> Snapshot {
    let vars: Vec<(String, String)> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    with_files(vars)
}

/// The same variables, and the files that they name as they are now: those of a running container may have been changed in place.
pub fn read_again(kept: &Snapshot) -> Snapshot {
    with_files(kept.vars.clone())
}

fn with_files(vars: Vec<(String, String)>) -> Snapshot {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| error.to_string());
    let files = spec::wanted_files(&vars).into_iter().map(|(name, path)| (name, read(&path))).collect();
    Snapshot { vars, files }
}

/// What the entrypoint of this container was started with; outside a container, or before it ran, the environment itself.
pub fn kept_or_own() -> anyhow::Result<Snapshot> {
    match fs::read_to_string(KEPT) {
        Ok(text) => Ok(serde_json::from_str::<Kept>(&text).with_context(|| format!("read {KEPT}"))?.into()),
        Err(_) => Ok(read()),
    }
}

/// The text to be kept at `KEPT`: our variables only.
pub fn to_keep(snapshot: &Snapshot) -> anyhow::Result<String> {
    let kept =
        Kept { vars: snapshot.vars.iter().filter(|(name, _)| is_ours(name)).cloned().collect(), files: snapshot.files.clone() };
    serde_json::to_string(&kept).context("keep the environment")
}

fn is_ours(name: &str) -> bool {
    // TLS_CERT_FILE is a variable of that name, not the file of one.
    let spellings = [name, name.strip_suffix("_FILE").unwrap_or(name)];
    let is_listed = |var: &spec::Var| spellings.iter().any(|spelling| var.name == *spelling || var.aliases.contains(spelling));
    spec::VARS.iter().any(is_listed) || ["PGCONF_", "PGPOOL_"].iter().any(|family| name.starts_with(family))
}

#[derive(Serialize, Deserialize)]
struct Kept {
    vars: Vec<(String, String)>,
    files: BTreeMap<String, Result<String, String>>,
}

impl From<Kept> for Snapshot {
    fn from(kept: Kept) -> Snapshot {
        Snapshot { vars: kept.vars, files: kept.files }
    }
}

/// With the password in use that this container's files have.
pub fn postgres_spec(snapshot: &Snapshot) -> Result<PostgresSpec, Violations> {
    let spec = spec::postgres_spec(&RawEnv::read(snapshot), &host_facts())?;
    Ok(PostgresSpec { cluster: passwords::with(&spec.cluster, passwords::held()), ..spec })
}

/// Likewise.
pub fn pgpool_spec(snapshot: &Snapshot) -> Result<PgpoolSpec, Violations> {
    let spec = spec::pgpool_spec(&RawEnv::read(snapshot), &host_facts())?;
    Ok(PgpoolSpec { cluster: passwords::with(&spec.cluster, passwords::held()), ..spec })
}

fn host_facts() -> HostFacts {
    HostFacts { host_name: read_host_name() }
}

/// Which image this container runs, by the server that is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    Postgres,
    Pgpool,
}

pub fn image() -> Image {
    match which::which("pgpool") {
        Ok(_) => Image::Pgpool,
        Err(_) => Image::Postgres,
    }
}

/// Directories that the entrypoint of the postgres image writes to.
pub fn config_dirs(major: u32) -> Vec<PathBuf> {
    ["/run/pgcluster", "/run/postgresql", "/etc/pgcluster"]
        .map(PathBuf::from)
        .into_iter()
        .chain([Path::new("/etc/repmgr").join(major.to_string())])
        .collect()
}

/// Directories that the entrypoint of the pgpool image writes to.
pub fn pool_config_dirs() -> Vec<PathBuf> {
    ["/run/pgcluster", "/run/pgpool", "/etc/pgpool-II"].map(PathBuf::from).into()
}

/// stderr, one event a call: what others worded cannot steer a terminal, and no line of theirs looks like one of ours.
struct Log;

impl Write for Log {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = foreign::lines(text.trim_end_matches('\n')).replace('\n', "\n    ");
        io::stderr().write_all(format!("{text}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// To stderr, which is `docker logs`.
pub fn start_logging(log: LogSpec) {
    let level = match log.level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(|| Log).with_ansi(false).with_target(false);
    // A second call (tests) changes nothing.
    let _ = match log.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn every_variable_is_kept_in_each_of_its_spellings() {
        for var in crate::spec::VARS {
            for name in [var.name.to_owned(), format!("{}_FILE", var.name)] {
                assert!(is_ours(&name), "{name}");
            }
        }
        assert!(is_ours("PGCONF_work_mem") && is_ours("PGPOOL_max_pool_FILE"));
        assert!(!is_ours("PATH") && !is_ours("HOME_FILE"));
    }
}
