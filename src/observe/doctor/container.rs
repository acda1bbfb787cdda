//! This container: memory that processes share, room, who may read what, and what its environment shows.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::model::{ContainerFacts, DatabaseContainer};
use crate::observe::certificates;
use crate::observe::disk::{Room, read_room};
use crate::observe::environment::KEPT;
use crate::observe::here::Here;
use crate::observe::processes::{children_of_the_first, now_s, process};
use crate::render::paths::{HEALTH_RAN, HOLD_SECRETS};
use crate::spec::{RawEnv, Source, VARS, resolved};

/// A program that was started by a shell that has ended may end soon, too.
const MOMENT_S: u64 = 10;
/// What a process of ours is called that another one started as itself.
const LEFT_BEHIND: &str = "exe";

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
        orphans: orphans(),
        health_silent_s: health_silent_s(),
        certificate: certificates::own(),
        is_certificate_given: here.cluster().tls.is_some(),
        host,
        authorities: certificates::authorities(),
        database,
    }
}

/// What hangs on process 1 for longer than a moment, besides the server and its processes, and what pgcluster left behind on purpose.
fn orphans() -> Vec<String> {
    let is_known = |name: &str| ["postgres", "pgpool", "pgcluster", LEFT_BEHIND].contains(&name);
    let strangers =
        children_of_the_first().into_iter().filter(|child| !is_known(&child.name) && child.age().as_secs() >= MOMENT_S);
    strangers.map(|child| format!("{} ({})", child.name, child.pid)).collect()
}

fn health_silent_s() -> u64 {
    let ran = fs::read_to_string(HEALTH_RAN).ok().and_then(|text| text.trim().parse::<u64>().ok());
    let since_start = process(1).map_or(0, |first| first.age().as_secs());
    ran.map_or(since_start, |ran| now_s().saturating_sub(ran).min(since_start))
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
