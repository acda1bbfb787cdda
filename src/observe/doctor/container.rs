//! This container: memory that processes share, room, who may read what, and what its environment shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::model::{ContainerFacts, DatabaseContainer};
use crate::observe::environment::KEPT;
use crate::observe::here::Here;
use crate::render::paths::HOLD_SECRETS;
use crate::spec::{RawEnv, Source, VARS, resolved};

pub fn read(here: &Here, raw: &RawEnv) -> ContainerFacts {
    let mut loose_files: Vec<String> =
        HOLD_SECRETS.into_iter().chain([KEPT]).filter_map(|path| loose(Path::new(path), 0o077)).collect();
    let database = match here {
        Here::Pgpool(_) => None,
        Here::Postgres(spec) => {
            // PostgreSQL allows the group to read.
            loose_files.extend(loose(&spec.data_dir, 0o027));
            let disk = space(&spec.data_dir).unwrap_or_default();
            let shm_bytes = space(Path::new("/dev/shm")).map_or(0, |(_, all)| all);
            Some(DatabaseContainer { name: spec.node().name.to_string(), shm_bytes, disk })
        }
    };
    ContainerFacts { plain_secrets: plain_secrets(raw), loose_files, database }
}

/// Names of secrets that were given as themselves, not as a file.
fn plain_secrets(raw: &RawEnv) -> Vec<String> {
    let is_secret = |name: &str| VARS.iter().any(|var| var.name == name && var.is_secret());
    let given = resolved(raw).into_iter().filter(|var| var.value.is_some() && var.source == Source::Env);
    given.map(|var| var.name).filter(|name| is_secret(name)).collect()
}

fn loose(path: &Path, forbidden: u32) -> Option<String> {
    let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & forbidden != 0).then(|| format!("{} has mode {mode:04o}", path.display()))
}

/// Bytes that are free for us, and all.
fn space(path: &Path) -> Option<(u64, u64)> {
    let system = nix::sys::statvfs::statvfs(path).ok()?;
    let size = system.fragment_size() as u64;
    Some((system.blocks_available() as u64 * size, system.blocks() as u64 * size))
}
