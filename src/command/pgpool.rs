//! `pgcluster pgpool`: PID 1 of a pgpool container until it execs pgpool.

use std::ffi::OsString;
use std::path::Path;

use crate::act::signal::StopSignals;
use crate::act::user::{self, Directories};
use crate::act::{exec, kept, pool, pool_guard};
use crate::command::{Stopped, block_on};
use crate::exit::Exit;
use crate::observe::environment;
use crate::plan::invocation::{Invocation, invocation};
use crate::render::paths;

pub fn run(args: Vec<OsString>, stop: StopSignals) -> anyhow::Result<Exit> {
    let server_args = match invocation("pgpool", args) {
        Invocation::Server(args) => args,
        Invocation::AsIs(program, args) => return Err(exec::user_command(&program, &args)),
    };
    let snapshot = environment::read();
    let spec = environment::pgpool_spec(&snapshot)?;
    environment::start_logging(spec.cluster.log);
    user::become_postgres(Directories { config: &environment::pool_config_dirs(), data: &[] })?;
    kept::keep(&snapshot, &spec.cluster)?;
    block_on(async {
        tokio::select! {
            biased;
            result = pool::start(&spec, &stop) => result,
            signal = stop.stopped() => Err(Stopped(signal).into()),
        }
    })?;
    exec::step_back();
    if let Err(error) = pool_guard::keep_semaphores() {
        tracing::info!("pgpool's semaphores are not guarded: {error}");
    }
    let mut environment = exec::scrubbed_environment(std::env::vars_os());
    environment.push(("PGPOOLKEYFILE".into(), paths::PGPOOL_KEY.into()));
    environment.push(("PGPASSFILE".into(), paths::PGPASS.into()));
    environment.push(("PCPPASSFILE".into(), paths::PCPPASS.into()));
    let mut args: Vec<OsString> = vec!["-n".into()];
    for (option, file) in [("-f", "pgpool.conf"), ("-F", "pcp.conf"), ("-a", "pool_hba.conf")] {
        args.extend([option.into(), Path::new("/etc/pgpool-II").join(file).into()]);
    }
    args.extend(["-k".into(), paths::PGPOOL_KEY.into()]);
    args.extend(server_args);
    Err(exec::exec(Path::new("pgpool"), &args, environment, &stop))
}
