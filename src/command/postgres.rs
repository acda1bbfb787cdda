//! `pgcluster postgres`: PID 1 of a database container until it execs the server.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::bail;

use crate::act::lock::VolumeLock;
use crate::act::signal::StopSignals;
use crate::act::user::{self, Directories};
use crate::act::{exec, kept, server, staging, start};
use crate::command::{Stopped, block_on};
use crate::exit::Exit;
use crate::observe::tools::Tools;
use crate::observe::{data_dir, environment};
use crate::plan::invocation::{Invocation, invocation};
use crate::spec::{HostAuth, PostgresSpec};

/// Longer than Docker's longest stop, so that an overlapping predecessor can finish.
const LOCK_PATIENCE: Duration = Duration::from_secs(120);

pub fn run(args: Vec<OsString>, stop: StopSignals) -> anyhow::Result<Exit> {
    let server_args = match invocation("postgres", args) {
        Invocation::Server(args) => args,
        Invocation::AsIs(program, args) => return Err(exec::user_command(&program, &args)),
    };
    let snapshot = environment::read();
    let spec = environment::postgres_spec(&snapshot)?;
    environment::start_logging(spec.cluster.log);
    refuse_unused_volume(&spec.data_dir)?;
    let volume = spec.data_dir.parent().unwrap_or(Path::new("/")).to_path_buf();
    user::become_postgres(Directories { config: &environment::config_dirs(spec.major), data: &[volume, spec.data_dir.clone()] })?;
    warn_of_trust(&spec);
    kept::keep(&snapshot, &spec.cluster)?;
    let tools = Tools::find()?;
    let lock = block_on(prepare(&spec, &tools, &stop))?;
    Err(server::become_server(&spec, &tools, lock, server_args, &stop))
}

/// Somebody who comes from the official image mounts the volume where that image has it: the data would not be on it.
fn refuse_unused_volume(data_dir: &Path) -> anyhow::Result<()> {
    match data_dir::unused_official_volume(data_dir) {
        None => Ok(()),
        Some(mounted) => bail!(
            "a volume is mounted at {0}, but the data directory is {1}, which is not on it; nothing was touched: set PGDATA={0}, or mount the volume at {2}",
            mounted.display(),
            data_dir.display(),
            data_dir.parent().unwrap_or(data_dir).display(),
        ),
    }
}

fn warn_of_trust(spec: &PostgresSpec) {
    if spec.host_auth == HostAuth::Trust {
        tracing::warn!("POSTGRES_HOST_AUTH_METHOD=trust: whoever reaches port 5432 is superuser, without a password");
    }
}

async fn prepare(spec: &PostgresSpec, tools: &Tools, stop: &StopSignals) -> anyhow::Result<VolumeLock> {
    let work = async {
        let tell = |holder: &str| tracing::info!("wait for the volume: {holder}");
        let lock = staging::lock_volume(&spec.data_dir, LOCK_PATIENCE, tell).await?;
        start::start(spec, tools, stop).await?;
        Ok(lock)
    };
    tokio::select! {
        biased;
        result = work => result,
        signal = stop.stopped() => Err(Stopped(signal).into()),
    }
}
