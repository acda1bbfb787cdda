//! The first start of the bootstrap node: initdb, roles, databases and the operator's scripts, all in a staging directory.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::act::command::Command;
use crate::act::fault_point::fault_point;
use crate::act::staging::Staging;
use crate::act::temporary_server::{Safety, Socket, TemporaryServer};
use crate::act::workplace::Workplace;
use crate::act::{bootstrap_order, init_scripts, marker, provision, recovery};
use crate::model::{Epoch, RoomState};
use crate::plan::start::Order;

const DEADLINE: Duration = Duration::from_secs(600);

/// Makes PGDATA from nothing. Killed at any point it leaves no PGDATA.
pub async fn initdb(work: &Workplace<'_>) -> anyhow::Result<()> {
    work.say(RoomState::working("initialising"));
    let staging = Staging::begin(work.data_dir()).await?;
    let data = staging.path();
    fault_point("initdb-begun");
    run_initdb(work, data).await?;
    fault_point("initdb-done");
    recovery::include_generated(data)?;
    let scripts = init_scripts::list()?;
    let socket = if scripts.is_empty() { Socket::Private } else { Socket::Usual };
    let server = TemporaryServer::start(work, data, Safety::Disposable, socket).await?;
    fault_point("initdb-server");
    let reason = match bootstrap_order::read() {
        Order::None => "initdb".to_string(),
        Order::Bootstrap { because } => format!("initdb, ordered: {because}"),
    };
    let report = provision::provision(work.spec, server.address(), work.spec.me, data, &reason).await?;
    fault_point("initdb-provisioned");
    init_scripts::run(work, data, &scripts).await?;
    fault_point("initdb-scripts");
    server.stop().await?;
    recovery::begin_reign(data, Epoch(1))?;
    marker::write(data, work.spec, marker::Origin::Initdb)?;
    fault_point("initdb-marked");
    staging.commit().await?;
    fault_point("initdb-in-place");
    tracing::info!("initialised {} with {} roles", work.data_dir().display(), report.created_roles);
    Ok(())
}

/// Data checksums on (pg_rewind needs them or wal_log_hints), UTF8; the operator's arguments come last and win.
///
/// Small WAL segments: a promotion copies the last one whole before anybody may write (`XLogFileCopy` in xlog.c), a standby that follows
/// fills its first one before it acknowledges anything, and all clients wait for both.
async fn run_initdb(work: &Workplace<'_>, data: &Path) -> anyhow::Result<()> {
    let spec = work.spec;
    let wal_dir = spec.initdb_wal_dir.as_ref().map(|dir| format!("--waldir={}", dir.display()));
    Command::new(&work.tools.initdb)
        .args(["-D".as_ref(), data.as_os_str()])
        .args([format!("--username={}", spec.superuser.name)])
        // The server never reads initdb's pg_hba.conf: the generated one is in force from the first start on.
        .args([
            "--encoding=UTF8",
            "--data-checksums",
            "--wal-segsize=4",
            "--auth-host=reject",
            "--auth-local=peer",
            "--no-sync",
            "--no-instructions",
        ])
        .args(wal_dir)
        .args(&spec.initdb_args)
        .timeout(DEADLINE)
        .run(work.stop)
        .await
        .context("create the database cluster")?;
    Ok(())
}
