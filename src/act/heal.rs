//! Looks at the cluster from a running database node and carries out what `plan::heal` finds.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio_postgres::Client;

use crate::act::promote::{self, Outcome, Wish};
use crate::act::standby::Standby;
use crate::act::{fence, memory, register, rotation, staging, upkeep};
use crate::model::{ClusterView, Epoch, NodeNumber, Role};
use crate::observe::peer::{control_address, look_at_others, read_state};
use crate::plan::fence::stale_primaries;
use crate::plan::heal::{Action, Facts, Healing, heal, may_follow};
use crate::spec::PostgresSpec;

/// Inside the health check's own deadline.
const ELECTION_DEADLINE: Duration = Duration::from_secs(4);

/// One look and at most one action. `local`: a session on this node's server. Returns what was found, for the health check's output.
pub async fn look_and_heal(spec: &PostgresSpec, local: &Client) -> anyhow::Result<String> {
    let cluster = &spec.cluster;
    let (me, others) = tokio::join!(read_state(local), look_at_others(cluster, spec.me));
    let me = me.context("read this node's state")?;
    let read_only = local.query_one("SHOW default_transaction_read_only", &[]).await?.get::<_, &str>(0) == "on";
    let facts = Facts {
        number: spec.me,
        me: &me,
        read_only,
        others: &others,
        failover: cluster.failover,
        failover_after: cluster.failover_after,
        memory: memory::read(),
    };
    let healing = heal(&facts);
    memory::write(healing.findings)?;
    if healing.findings.streaming {
        staging::remove_old(&spec.data_dir).await?;
        drop_slots_of_an_earlier_reign(local).await?;
    }
    let is_reigning = me.role == Role::Primary && healing.action == Action::Nothing;
    let mut said = rotation::keep_up_postgres(spec, local, is_reigning).await;
    let stale =
        stale_primaries(&others.with(spec.me, &me)).into_iter().filter(|stale| stale.number != spec.me).collect::<Vec<_>>();
    said.extend(fence::stop_all(cluster, &stale).await);
    said.push(carry_out(spec, healing, &others).await?);
    if is_reigning {
        said.extend(upkeep::keep_true(local, cluster, spec.me, &others).await?);
    }
    Ok(said.join("; "))
}

/// A former primary, or a candidate that was not promoted, keeps WAL for nodes that get theirs elsewhere. Never on a frozen node:
/// its slots may be those of the promotion that is under way. It may have been frozen since the look: those slots are made only when its
/// receiver is gone.
async fn drop_slots_of_an_earlier_reign(local: &Client) -> anyhow::Result<()> {
    let statement = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
         WHERE slot_type = 'physical' AND NOT active AND (slot_name LIKE 'repmgr\\_slot\\_%' OR slot_name LIKE 'pgcluster\\_keep\\_%') AND pg_is_in_recovery() \
         AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming')";
    local.batch_execute(statement).await.context("drop the slots of an earlier reign")
}

async fn carry_out(spec: &PostgresSpec, healing: Healing, others: &ClusterView) -> anyhow::Result<String> {
    let Healing { action, because, .. } = healing;
    let cluster = &spec.cluster;
    Ok(match action {
        Action::Nothing => because,
        Action::Restart => {
            stop_server(&spec.data_dir)?;
            format!("stopped the server: {because}")
        }
        Action::FinishPromotion { epoch } => {
            Standby::connect(cluster, spec.me).await?.finish(epoch, "finished by the health check").await?;
            format!("finished a promotion: {because}")
        }
        Action::Repoint { primary, epoch } => {
            let upstream = control_address(cluster, &cluster.nodes[primary.index()]).connect_in_time("repmgr").await?;
            register::register_standby(&upstream, cluster, spec.me, primary).await?;
            let me = Standby::connect(cluster, spec.me).await?;
            repoint(&me, primary, others, epoch).await?;
            format!("pointed at node {primary}: {because}")
        }
        Action::Elect => match promote::promote(Wish::of_machine(cluster, &because, ELECTION_DEADLINE)).await {
            Outcome::Promoted { primary } => format!("promoted node {primary}: {because}"),
            Outcome::None { primary, .. } => format!("node {primary} is primary now"),
            Outcome::Lives { because } | Outcome::Impossible { because } => format!("no promotion: {because}"),
        },
    })
}

/// Under the lock of promotions, and with nothing arriving any more: what the look found may have changed since.
async fn repoint(me: &Standby<'_>, primary: NodeNumber, others: &ClusterView, epoch: Epoch) -> anyhow::Result<()> {
    let before = me.lock_and_read().await?;
    may_follow(&before, primary, others).map_err(anyhow::Error::msg)?;
    let frozen = me.freeze(epoch, &before).await?;
    may_follow(&frozen.state, primary, others).map_err(anyhow::Error::msg)?;
    me.follow(primary, epoch).await
}

/// Fast shutdown; the container's restart policy brings it back through the start decision.
pub fn stop_server(data_dir: &Path) -> anyhow::Result<()> {
    let path = data_dir.join("postmaster.pid");
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let pid = text.lines().next().and_then(|line| line.trim().parse().ok()).context("postmaster.pid begins with a process id")?;
    kill(Pid::from_raw(pid), Signal::SIGINT).context("stop the server")
}
