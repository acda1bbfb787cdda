//! The end of a database container's entrypoint: the process becomes the server.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Context;

use crate::act::lock::VolumeLock;
use crate::act::signal::StopSignals;
use crate::act::workplace::RUN_DIR;
use crate::act::{exec, leak};
use crate::observe::tools::Tools;
use crate::spec::PostgresSpec;

/// Returns only if it did not work. The server inherits the volume's lock, and none of our secrets.
pub fn become_server(
    spec: &PostgresSpec,
    tools: &Tools,
    lock: VolumeLock,
    server_args: Vec<OsString>,
    stop: &StopSignals,
) -> anyhow::Error {
    if let Err(error) = lock.keep_through_exec().context("keep the volume's lock") {
        return error;
    }
    let mut args: Vec<OsString> = vec!["-D".into(), spec.data_dir.clone().into()];
    args.extend(server_args);
    let mut environment = exec::scrubbed_environment(std::env::vars_os());
    environment.push(("PGPASSFILE".into(), Path::new(RUN_DIR).join("pgpass").into()));
    leak::into_environment(spec, &mut environment);
    exec::exec(&tools.postgres, &args, environment, stop)
}
