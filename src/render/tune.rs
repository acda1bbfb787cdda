//! Memory and parallelism from what the container may use: the rules of thumb of PostgreSQL's documentation
//! (19.4 Resource Consumption) and of PGTune, with caps.

use serde::Serialize;

use crate::spec::Tune;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Below this, a quarter is less than PostgreSQL's own default of 128 MB; still right, because the rest must fit too.
const SHARED_BUFFERS_MAX: u64 = 16 * 1024 * MIB;
/// Vacuum cannot use more before PostgreSQL 17.
const MAINTENANCE_WORK_MEM_MAX: u64 = 1024 * MIB;

/// The memory band: its settings, and the sentence above them.
pub struct Band {
    pub why: String,
    pub settings: Vec<Line>,
}

/// A parameter and its value, not yet quoted.
#[derive(Serialize)]
pub struct Line {
    pub name: &'static str,
    pub value: String,
}

/// Memory settings for this limit; nothing (PostgreSQL's defaults) without a limit or with `PG_TUNE=off`.
pub fn band(tune: Tune, limit_bytes: Option<u64>, cpus: u32, max_connections: u32) -> Band {
    match (tune, limit_bytes) {
        (Tune::Off, _) => {
            Band { why: "PG_TUNE=off: PostgreSQL's own defaults, made for a small machine.".into(), settings: vec![] }
        }
        (Tune::Auto, None) => Band {
            why: "PostgreSQL's own defaults: the container has no memory limit to size from. Set mem_limit, or PGCONF_shared_buffers."
                .into(),
            settings: parallel(cpus),
        },
        (Tune::Auto, Some(limit)) => {
            let mut settings = memory(limit, max_connections);
            settings.extend(parallel(cpus));
            Band { why: format!("From the container's limits: {} MB, {cpus} CPU.", limit / MIB), settings }
        }
    }
}

fn memory(limit: u64, max_connections: u32) -> Vec<Line> {
    let shared_buffers = (limit / 4).min(SHARED_BUFFERS_MAX);
    let maintenance = (limit / 16).clamp(16 * MIB, MAINTENANCE_WORK_MEM_MAX);
    // A query may use it several times, and every connection may run one.
    let work = ((limit - shared_buffers) / (u64::from(max_connections) * 3)).clamp(MIB, 64 * MIB);
    // What PostgreSQL would choose itself, written out.
    let wal_buffers = (shared_buffers / 32).clamp(64 * KIB, 16 * MIB);
    vec![
        setting("shared_buffers", mb(shared_buffers)),
        setting("effective_cache_size", mb(limit / 4 * 3)),
        setting("maintenance_work_mem", mb(maintenance)),
        setting("work_mem", kb(work)),
        setting("wal_buffers", kb(wal_buffers)),
    ]
}

/// Only what may differ between nodes: `max_worker_processes` is the same everywhere.
fn parallel(cpus: u32) -> Vec<Line> {
    let workers = cpus.clamp(1, 16);
    vec![
        setting("max_parallel_workers", workers.to_string()),
        setting("max_parallel_workers_per_gather", (workers / 2).min(4).to_string()),
        setting("max_parallel_maintenance_workers", (workers / 2).clamp(1, 4).to_string()),
    ]
}

fn setting(name: &'static str, value: String) -> Line {
    Line { name, value }
}

fn mb(bytes: u64) -> String {
    format!("{}MB", bytes / MIB)
}

fn kb(bytes: u64) -> String {
    format!("{}kB", bytes / KIB)
}

#[cfg(test)]
mod tests {
    use super::{MIB, band};
    use crate::spec::Tune;

    fn values(limit_mib: u64, cpus: u32, connections: u32) -> String {
        let settings = band(Tune::Auto, Some(limit_mib * MIB), cpus, connections).settings;
        settings.into_iter().map(|s| s.value).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_small_container() {
        assert_eq!(values(512, 1, 300), "128MB 384MB 32MB 1024kB 4096kB 1 0 1");
    }

    #[test]
    fn a_middle_one() {
        assert_eq!(values(8192, 4, 300), "2048MB 6144MB 512MB 6990kB 16384kB 4 2 2");
    }

    #[test]
    fn caps_of_a_large_one() {
        assert_eq!(values(262_144, 64, 300), "16384MB 196608MB 1024MB 65536kB 16384kB 16 4 4");
    }

    #[test]
    fn no_limit_and_off_keep_the_defaults() {
        assert!(band(Tune::Auto, None, 2, 300).settings.iter().all(|s| s.name.contains("parallel")));
        assert!(band(Tune::Off, Some(MIB), 2, 300).settings.is_empty());
    }
}
