//! Reads this node's own data directory while no server runs on it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::act::signal::StopSignals;
use crate::model::{Epoch, History, OwnData, OwnNode, Role, WalEnd, conninfo_value};
use crate::observe::tools::Tools;
use crate::observe::{control_file, wal};
use crate::render::auto_conf;

/// Reads what is in `data_dir`. Errors: not a data directory, another major version, an unreadable control file.
pub async fn read_own_data(data_dir: &Path, major: u32, tools: &Tools, stop: &StopSignals) -> anyhow::Result<OwnData> {
    if is_empty(data_dir)? {
        return Ok(OwnData::None);
    }
    check_major(data_dir, major)?;
    let control = control_file::read(data_dir, tools, stop).await?;
    let auto = auto_conf::read(&read_optional(&data_dir.join("postgresql.auto.conf"))?);
    let setting = |name: &str| auto.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let recorded = control.checkpoint_timeline.max(control.recovered_timeline);
    let timeline = wal::furthest_timeline(data_dir).map_or(recorded, |furthest| furthest.max(recorded));
    let rewinding = Rewinding::read(&read_optional(&data_dir.join(PG_VERSION))?);
    let epoch = |name: &str| Epoch(setting(name).and_then(|text| text.parse().ok()).unwrap_or(0));
    let promised_epoch = epoch("pgcluster.promised_epoch");
    if rewinding == Some(Rewinding::Writing) {
        return Ok(OwnData::Unfinished { promised_epoch });
    }
    let standby = rewinding.is_some() || data_dir.join("standby.signal").exists();
    Ok(OwnData::Valid(OwnNode {
        system_id: control.system_id,
        timeline,
        role: if standby { Role::Standby } else { Role::Primary },
        stopped: control.stopped,
        promised_epoch,
        reign: epoch("pgcluster.reign"),
        upstream: setting("primary_conninfo").and_then(|text| conninfo_value(text, "host")),
        checkpoint: (control.checkpoint_timeline, control.checkpoint_at),
        wal_end: WalEnd::At(control.checkpoint_at.max(control.recovered_to)),
        history: History::parse(timeline, &read_optional(&data_dir.join("pg_wal").join(timeline.history_file()))?)?,
        parameters: control.parameters,
    }))
}

/// The name of the unfinished-work marker of an in-place build (data directory that is itself a mount point).
pub const UNFINISHED: &str = "pgcluster.unfinished";

/// How far a rewind had come: the second line of PG_VERSION, which PostgreSQL does not read.
///
/// In a file of its own it would be swept away: pg_rewind removes what the source does not have long before the data is complete.
/// Besides the control file, PG_VERSION is the one file that it leaves alone (filemap.c, `decide_file_action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewinding {
    /// `standby.signal` may be gone, everything else is as it was.
    Begun,
    /// pg_rewind writes: a target that it left half-way is lost for good (PostgreSQL documentation, pg_rewind).
    Writing,
}

const REWINDING: &str = "pgcluster rewind: ";

impl Rewinding {
    fn word(self) -> &'static str {
        match self {
            Rewinding::Begun => "begun",
            Rewinding::Writing => "writing",
        }
    }

    /// The content of PG_VERSION with this mark; `text` is what it has now.
    pub fn mark(text: &str, rewinding: Option<Rewinding>) -> String {
        let major = text.lines().next().unwrap_or_default();
        match rewinding {
            None => format!("{major}\n"),
            Some(stage) => format!("{major}\n{REWINDING}{}\n", stage.word()),
        }
    }

    /// Reads the mark back; one that is not understood is taken for the worst.
    fn read(text: &str) -> Option<Rewinding> {
        let word = text.lines().find_map(|line| line.strip_prefix(REWINDING))?;
        Some(if word == Rewinding::Begun.word() { Rewinding::Begun } else { Rewinding::Writing })
    }
}

/// The file whose first line is the major version.
pub const PG_VERSION: &str = "PG_VERSION";

/// What may lie in an empty data directory: the file system's own, and an unfinished build inside a mount point.
const IGNORED: [&str; 3] = ["lost+found", "pgcluster.staging", "pgcluster.old"];

/// Empty: not there, or nothing but what a fresh file system or an unfinished build of ours leaves.
fn is_empty(data_dir: &Path) -> anyhow::Result<bool> {
    let entries = match fs::read_dir(data_dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error).with_context(|| format!("read {}", data_dir.display())),
    };
    let names: Vec<_> = entries.map(|entry| entry.map(|e| e.file_name())).collect::<Result<_, _>>()?;
    Ok(names.iter().any(|name| name == UNFINISHED) || names.iter().all(|name| IGNORED.iter().any(|ignored| name == ignored)))
}

/// Where the official image keeps its data: up to 17, and from 18 on.
const OFFICIAL_VOLUMES: [&str; 2] = ["/var/lib/postgresql/data", "/var/lib/postgresql"];

/// A volume at one of the official image's places, while the data directory is elsewhere.
pub fn unused_official_volume(data_dir: &Path) -> Option<&'static Path> {
    let device = |path: &Path| fs::metadata(path).map(|meta| meta.dev()).ok();
    let is_mounted = |place: &Path| device(place).is_some_and(|own| place.parent().and_then(device) != Some(own));
    OFFICIAL_VOLUMES.into_iter().map(Path::new).find(|place| is_mounted(place) && !data_dir.starts_with(place))
}

fn check_major(data_dir: &Path, major: u32) -> anyhow::Result<()> {
    let path = data_dir.join(PG_VERSION);
    let Ok(text) = fs::read_to_string(&path) else {
        bail!(
            "{} is not empty and is no PostgreSQL data directory (no PG_VERSION); nothing was touched: mount the right volume, or empty it",
            data_dir.display()
        );
    };
    let found = text.lines().next().unwrap_or_default().trim();
    if found != major.to_string() {
        bail!(
            "the data in {} was made by PostgreSQL {}, this image has {major}; nothing was touched: use the image of that major version, or pg_upgrade",
            data_dir.display(),
            found
        );
    }
    Ok(())
}

fn read_optional(path: &PathBuf) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rewind_is_marked_in_pg_version_and_the_mark_goes() {
        let begun = Rewinding::mark("17\n", Some(Rewinding::Begun));
        assert_eq!(begun, "17\npgcluster rewind: begun\n");
        let writing = Rewinding::mark(&begun, Some(Rewinding::Writing));
        assert_eq!((Rewinding::read(&begun), Rewinding::read(&writing)), (Some(Rewinding::Begun), Some(Rewinding::Writing)));
        assert_eq!(Rewinding::mark(&writing, None), "17\n");
        assert_eq!(Rewinding::read("17\n"), None);
        assert_eq!(Rewinding::read("17\npgcluster rewind: beg"), Some(Rewinding::Writing));
    }
}
