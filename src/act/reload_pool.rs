//! The same for a pgpool container: its files again from the environment as it is now, and pgpool reads them.

use std::path::Path;

use anyhow::{Context, bail};

use crate::act::file::{self, Durability};
use crate::act::reload::{Draft, describe, differing, environment_now};
use crate::act::signal::StopSignals;
use crate::act::workplace::RUN_DIR;
use crate::act::{pool, rotation, rotation_watch, tls};
use crate::observe::tools::read_version;
use crate::observe::{environment, passwords};
use crate::pcp;
use crate::plan::reload;
use crate::render::{NodeStatus, paths, pgpool_files};
use crate::spec::{PgpoolSpec, Snapshot};

/// What a reload of this pgpool container would do. Touches nothing.
pub async fn propose(kept: &Snapshot, stop: &StopSignals) -> anyhow::Result<Draft<PgpoolSpec>> {
    if !pcp::is_there() {
        bail!("pgpool has not begun here yet");
    }
    let old = environment::pgpool_spec(kept)?;
    let new = environment::pgpool_spec(&environment::read_again(kept))?;
    let (snapshot, takes) = environment_now(kept, &old.cluster, &new.cluster);
    let new = environment::pgpool_spec(&snapshot)?;
    let spec = PgpoolSpec { cluster: passwords::with(&new.cluster, takes), ..new };
    let mut facts = pool::facts(&spec, vec![NodeStatus::Up; spec.cluster.nodes.len()])?;
    let (major, minor, _) = read_version("pgpool", stop).await?;
    facts.version = (major, minor);
    facts.pool_key = rotation_watch::pool_key()?;
    let mut rendered = Vec::new();
    if let Some(files) = &spec.cluster.tls {
        tls::check(&spec.cluster, None)?;
        rendered = tls::certificate(Some(files), &spec.name, Path::new(RUN_DIR))?;
    }
    rendered.extend(pgpool_files(&spec, &facts).context("render the configuration")?);
    // pgpool's own: it writes there what it believes.
    rendered.retain(|file| file.path != Path::new(paths::PGPOOL_STATUS));
    let files = differing(&snapshot, &spec.cluster, takes, rendered)?;
    let word = |name: &str| if reload::pgpool_reads_at_start(name) { "needs a restart" } else { "at once" };
    let pcp = (old.pcp_password != spec.pcp_password).then(|| format!("{} of pcp", spec.pcp_user));
    let changed: Vec<String> = reload::passwords(&old.cluster, &spec.cluster).into_iter().chain(pcp).collect();
    let mut lines = describe(&files, &changed, word);
    if files.iter().any(|file| file.path == Path::new(RUN_DIR).join("tls.crt")) {
        lines.push("the certificate: pgpool reads it only at its start, so clients see it after a restart".into());
    }
    Ok(Draft { spec, files, lines })
}

pub async fn carry_out(draft: &Draft<PgpoolSpec>) -> anyhow::Result<Vec<String>> {
    file::write_all(&draft.files, Durability::Rebuilt).context("write the files")?;
    rotation_watch::reload_pgpool()?;
    let (_, rotated) = rotation::keep_up_pgpool(&draft.spec).await;
    Ok(["reloaded pgpool".to_owned()].into_iter().chain(rotated).collect())
}
