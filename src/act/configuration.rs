//! Writes every generated file of a postgres node, all or none, for the data that is about to be served.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::act::file::{self, Durability};
use crate::act::tls;
use crate::act::workplace::RUN_DIR;
use crate::model::{NodeState, ParameterFloor};
use crate::observe::host::{read_cpus, read_memory_limit_bytes};
use crate::render::{HbaRules, PostgresFacts, TlsPaths, postgres_files};
use crate::spec::{PostgresSpec, Replication, owned_in_conf_d};

const CONF_D: &str = "/etc/pgcluster/conf.d";
const HBA_D: &str = "/etc/pgcluster/hba.d";

/// The operator's own files set what is not theirs to set: all such lines, each with reason and hint.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct OwnedInFiles(String);

/// `own` and `primary`: the parameters that a standby must not be smaller in than the server whose WAL it replays.
pub fn write(spec: &PostgresSpec, own: ParameterFloor, primary: Option<&NodeState>) -> anyhow::Result<()> {
    let mut files = tls::certificate(spec.cluster.tls.as_ref(), &spec.node().host, Path::new(RUN_DIR))?;
    files.extend(postgres_files(spec, &facts(spec, own, primary)?).context("render the configuration")?);
    file::write_all(&files, Durability::Rebuilt).context("write the configuration")?;
    Ok(())
}

/// Everything that rendering needs to know of this container.
pub fn facts(spec: &PostgresSpec, own: ParameterFloor, primary: Option<&NodeState>) -> anyhow::Result<PostgresFacts> {
    let conf_d = read_dir_texts(CONF_D, "conf")?;
    refuse_owned(&conf_d, spec.cluster.replication)?;
    let hba_d = read_dir_texts(HBA_D, "conf")?;
    Ok(PostgresFacts {
        memory_limit_bytes: read_memory_limit_bytes(),
        cpus: read_cpus(),
        tls: TlsPaths {
            cert: Path::new(RUN_DIR).join("tls.crt"),
            key: Path::new(RUN_DIR).join("tls.key"),
            ca: spec.cluster.tls.as_ref().and_then(|files| files.ca.as_ref()).map(|_| Path::new(RUN_DIR).join("tls.ca")),
        },
        minimums: primary.map_or(own, |state| own.max(state.parameters)),
        conf_d: !conf_d.is_empty(),
        hba_d: hba_d.into_iter().map(|(path, text)| HbaRules { file: path.display().to_string(), text }).collect(),
    })
}

fn refuse_owned(conf_d: &[(PathBuf, String)], replication: Replication) -> Result<(), OwnedInFiles> {
    let lines = conf_d.iter().flat_map(|(path, text)| {
        owned_in_conf_d(text, replication).into_iter().map(move |owned| format!("{}, {owned}", path.display()))
    });
    match lines.collect::<Vec<_>>() {
        none if none.is_empty() => Ok(()),
        all => Err(OwnedInFiles(all.join("\n"))),
    }
}

fn read_dir_texts(dir: &str, extension: &str) -> anyhow::Result<Vec<(PathBuf, String)>> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(Vec::new()) };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>().with_context(|| format!("read {dir}"))?;
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Ok((path, text))
    };
    paths.into_iter().map(read).collect()
}
