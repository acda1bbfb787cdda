//! `pgcluster postgres`: PID 1 of a database container until it execs the server.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::act::lock::VolumeLock;
use crate::act::signal::StopSignals;
use crate::act::user::{self, Directories};
use crate::act::workplace::RUN_DIR;
use crate::act::{exec, kept, start};
use crate::command::{Stopped, block_on};
use crate::exit::Exit;
use crate::observe::environment;
use crate::observe::tools::Tools;
use crate::plan::invocation::{Invocation, invocation};
use crate::spec::PostgresSpec;

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
    let volume = spec.data_dir.parent().unwrap_or(Path::new("/")).to_path_buf();
    user::become_postgres(Directories {
        config: &environment::config_dirs(spec.major),
        data: &[volume.clone(), spec.data_dir.clone()],
    })?;
    kept::keep(&snapshot)?;
    let tools = Tools::find()?;
    let lock = block_on(prepare(&spec, &tools, &stop, &volume))?;
    hand_over(&spec, &tools, lock, server_args)
}

async fn prepare(spec: &PostgresSpec, tools: &Tools, stop: &StopSignals, volume: &Path) -> anyhow::Result<VolumeLock> {
    let work = async {
        let lock = VolumeLock::take(volume, LOCK_PATIENCE, |holder| tracing::info!("wait for the volume: {holder}")).await?;
        start::start(spec, tools, stop).await?;
        Ok(lock)
    };
    tokio::select! {
        biased;
        result = work => result,
        signal = stop.stopped() => Err(Stopped(signal).into()),
    }
}

fn hand_over(spec: &PostgresSpec, tools: &Tools, lock: VolumeLock, server_args: Vec<OsString>) -> anyhow::Result<Exit> {
    lock.keep_through_exec().context("keep the volume's lock")?;
    let mut args: Vec<OsString> = vec!["-D".into(), spec.data_dir.clone().into()];
    args.extend(server_args);
    let mut environment = exec::scrubbed_environment(std::env::vars_os());
    environment.push(("PGPASSFILE".into(), Path::new(RUN_DIR).join("pgpass").into()));
    Err(exec::exec(&tools.postgres, &args, environment))
}
