//! The programs that this image must have, resolved once.

use std::path::PathBuf;

use anyhow::bail;

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
