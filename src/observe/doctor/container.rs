//! This container: memory that processes share, room, who may read what, and what its environment shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::model::{ContainerFacts, DatabaseContainer};
use crate::observe::certificates;
use crate::observe::disk::{Room, read_room};
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
            let Room { free, all } = read_room(&spec.data_dir).unwrap_or_default();
            let (disk, shm_bytes) = ((free, all), read_room(Path::new("/dev/shm")).map_or(0, |room| room.all));
            Some(DatabaseContainer { name: spec.node().name.to_string(), shm_bytes, disk })
        }
    };
    let host = match here {
        Here::Pgpool(_) => None,
        Here::Postgres(spec) => Some(spec.node().host.clone()),
    };
    ContainerFacts {
        plain_secrets: plain_secrets(raw),
        loose_files,
        certificate: certificates::own(),
        is_certificate_given: here.cluster().tls.is_some(),
        host,
        authorities: certificates::authorities(),
        database,
    }
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
