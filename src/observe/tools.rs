//! The programs that this image must have, resolved once.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::act::command::Command;
use crate::act::signal::StopSignals;

/// PostgreSQL's own programs of the image's major version.
#[derive(Clone, Debug)]
pub struct Tools {
    pub postgres: PathBuf,
    pub initdb: PathBuf,
    pub pg_basebackup: PathBuf,
    pub pg_controldata: PathBuf,
    pub pg_rewind: PathBuf,
    pub pg_waldump: PathBuf,
    pub psql: PathBuf,
}

impl Tools {
    /// Looks on PATH; all that are missing are named at once.
    pub fn find() -> anyhow::Result<Tools> {
        let mut missing = Vec::new();
        let mut find = |name: &str| {
            which::which(name).unwrap_or_else(|_| {
                missing.push(name.to_string());
                PathBuf::new()
            })
        };
        let tools = Tools {
            postgres: find("postgres"),
            initdb: find("initdb"),
            pg_basebackup: find("pg_basebackup"),
            pg_controldata: find("pg_controldata"),
            pg_rewind: find("pg_rewind"),
            pg_waldump: find("pg_waldump"),
            psql: find("psql"),
        };
        if !missing.is_empty() {
            bail!("programs not found on PATH: {}", missing.join(", "));
        }
        Ok(tools)
    }
}

/// What a program of ours says of its version: `postgres (PostgreSQL) 17.10 (Debian …)` → (17, 10, 0), `pgpool-II version 4.6.1 (…)` →
/// (4, 6, 1).
pub async fn read_version(program: impl AsRef<OsStr>, stop: &StopSignals) -> anyhow::Result<(u32, u32, u32)> {
    let output = Command::new(&program).args(["--version"]).timeout(Duration::from_secs(10)).run(stop).await?;
    let version = output.stdout.iter().chain(&output.stderr).flat_map(|line| line.split_whitespace()).find_map(version);
    version.with_context(|| format!("read the version that `{} --version` prints", program.as_ref().display()))
}

fn version(word: &str) -> Option<(u32, u32, u32)> {
    let mut parts = word.split('.').map(str::parse::<u32>);
    Some((parts.next()?.ok()?, parts.next()?.ok()?, parts.next().and_then(Result::ok).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_has_two_numbers_or_three() {
        assert_eq!(["17.10", "4.6.1"].map(version), [Some((17, 10, 0)), Some((4, 6, 1))]);
        assert_eq!(["pgpool-II", "(Debian", "18beta1", "17"].map(version), [None; 4]);
    }
}
