//! `pgcluster after-failover [--attach NODE] [--gone NODE]`: what is left to do once pgpool's failover_command has returned, in a process of its own,
//! because pgpool goes on only then. Always exits 0: as PID 1 pgpool takes 3 for an order to end.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::act::{nudge, pcp, sever};
use crate::command::block_on;
use crate::exit::Exit;
use crate::model::NodeNumber;
use crate::observe::environment;
use crate::spec::PgpoolSpec;

/// The name of the subcommand; not for people.
pub const NAME: &str = "after-failover";
/// For an attachment that pgpool queues while it still searches.
const ATTACH_PATIENCE: Duration = Duration::from_secs(10);

/// Leaves a process behind and does not wait for it: the one exception to "forks nothing that it does not wait for".
pub fn leave_behind(attach: Option<NodeNumber>, gone: Option<NodeNumber>) {
    use std::os::unix::process::CommandExt;
    let option = |name: &str, number: Option<NodeNumber>| number.map(|number| format!("--{name}={number}"));
    let args = [option("attach", attach), option("gone", gone)];
    let started = Command::new("/proc/self/exe")
        .arg(NAME)
        .args(args.iter().flatten())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn();
    if let Err(error) = started {
        tracing::warn!("nobody is left to look after pgpool: {error}");
    }
}

pub fn run(attach: Option<u32>, gone: Option<u32>) -> anyhow::Result<Exit> {
    let Ok(spec) = environment::kept_or_own().and_then(|snapshot| Ok(environment::pgpool_spec(&snapshot)?)) else {
        return Ok(Exit::Ok);
    };
    environment::start_logging(spec.cluster.log);
    block_on(async {
        let (attach, gone) = (attach_again(&spec, attach.map(NodeNumber)), sever_from(&spec, gone.map(NodeNumber)));
        let deadlocked = sever::end_deadlocked(nudge::LONG_ENOUGH);
        let (.., deadlocked) = tokio::join!(nudge::wake_sleepers(spec.port, nudge::LONG_ENOUGH), attach, gone, deadlocked);
        deadlocked.iter().for_each(|line| tracing::warn!("{line}"));
        nudge::renew_idle().await;
    });
    Ok(Exit::Ok)
}

/// The deposed primary may be frozen or cut off: nobody shall wait for its answer.
async fn sever_from(spec: &PgpoolSpec, number: Option<NodeNumber>) {
    if let Some(number) = number {
        sever::sever(spec, number, nudge::LONG_ENOUGH).await;
    }
}

/// A node that pgpool gave up although it lives: it is back before anybody has to look.
async fn attach_again(spec: &PgpoolSpec, number: Option<NodeNumber>) {
    let Some(number) = number else { return };
    let attach = async {
        while pcp::attach(spec, number).await.is_err() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let _ = tokio::time::timeout(ATTACH_PATIENCE, attach).await;
    nudge::wake_sleepers(spec.port, nudge::LONG_ENOUGH).await;
}
