//! `pgcluster.json` in the data directory: where the data came from, and which wishes were already made true in it.

use std::fs;
use std::path::Path;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::act::file::{self, Durability};
use crate::plan::provision::digest_input;
use crate::render::RenderedFile;
use crate::spec::PostgresSpec;

pub const FILE: &str = "pgcluster.json";
/// As strong as the verifiers in `pg_authid`, which lie in the same directory.
const ITERATIONS: u32 = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Initdb,
    Clone,
    /// Made by somebody else: the official image, pg_restore, a volume of another tool.
    Adopted,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    pub origin: Origin,
    /// Salted PBKDF2 of `digest_input`: equal means that roles and databases need no work.
    pub salt: String,
    pub provisioned: String,
}

/// None: not ours, or written by a version that we do not know. Then everything is provisioned again, which is idempotent.
pub fn read(data_dir: &Path) -> Option<Marker> {
    serde_json::from_str(&fs::read_to_string(data_dir.join(FILE)).ok()?).ok()
}

/// Whether roles and databases were already made as `spec` wants them.
pub fn is_provisioned(data_dir: &Path, spec: &PostgresSpec) -> bool {
    let Some(marker) = read(data_dir) else { return false };
    BASE64.decode(&marker.salt).is_ok_and(|salt| digest(spec, &salt) == marker.provisioned)
}

/// Remembers that `spec` has been made true.
pub fn write(data_dir: &Path, spec: &PostgresSpec, origin: Origin) -> anyhow::Result<()> {
    let salt: [u8; 16] = rand::random();
    let marker = Marker { origin, salt: BASE64.encode(salt), provisioned: digest(spec, &salt) };
    let body = serde_json::to_string(&marker).context("write the marker")? + "\n";
    file::write_all(&[RenderedFile { path: data_dir.join(FILE), mode: 0o600, body }], Durability::Synced)?;
    Ok(())
}

fn digest(spec: &PostgresSpec, salt: &[u8]) -> String {
    BASE64.encode(pbkdf2::pbkdf2_hmac_array::<sha2::Sha256, 32>(digest_input(spec).as_bytes(), salt, ITERATIONS))
}
