//! Carries a postgres node from "nobody knows" to "ready to exec": look, decide, do; again until the decision is final.

use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tokio_postgres::Client;

use crate::act::signal::StopSignals;
use crate::act::temporary_server::{Safety, Socket, TemporaryServer};
use crate::act::waiting_room::WaitingRoom;
use crate::act::workplace::Workplace;
use crate::act::{
    bootstrap_order, clone, configuration, initdb, leak, marker, memory, provision, recovery, register, rewind, rotation,
    staging, tls,
};
use crate::model::{ClusterView, Epoch, Lsn, NodeNumber, OwnData, RoomState};
use crate::observe::data_dir;
use crate::observe::disk::read_room;
use crate::observe::peer::look_at_others;
use crate::observe::tools::{Tools, read_version};
use crate::observe::wal;
use crate::plan::floors;
use crate::plan::start::{self as decision, Archive, Me, StartFacts, StartPlan, Verdict};
use crate::spec::{ClusterKind, PostgresSpec};

const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Returns when the data directory and every file are as the server needs them, and port 5432 is free.
pub async fn start(spec: &PostgresSpec, tools: &Tools, stop: &StopSignals) -> anyhow::Result<()> {
    let name = (spec.cluster.kind == ClusterKind::Cluster).then_some(spec.node().host.as_str());
    tls::check(&spec.cluster, name)?;
    staging::restore_interrupted_swap(&spec.data_dir)?;
    forget_dead_server(&spec.data_dir)?;
    let room = match spec.cluster.kind {
        ClusterKind::Standalone => None,
        ClusterKind::Cluster => Some(
            WaitingRoom::open(
                spec.node().name.as_str(),
                spec.node().port,
                tls::acceptor(spec.cluster.tls.as_ref(), &spec.node().host)?,
            )
            .await?,
        ),
    };
    let sign = room.as_ref().map(WaitingRoom::sign);
    let work = Workplace { spec, tools, stop, sign: sign.as_ref() };
    let began = Instant::now();
    let (first, ()) = tokio::join!(decide(&work, began), warn_of_holes(tools, stop));
    let mut decision = first?;
    loop {
        let told = PostgresSpec { cluster: rotation::with_password_in_use(&spec.cluster).await?, ..spec.clone() };
        configuration::write(&told, decision.own.parameters(), decision.others.primary().map(|(_, state)| state))?;
        carry_out(&work, &decision).await?;
        if decision.plan.verdict != Verdict::Resume || still_resumes(&work, began).await? {
            break;
        }
        decision = decide(&work, began).await?;
    }
    if let Some(room) = room {
        room.close().await;
    }
    Ok(())
}

/// Says what is known against this version. Of the same package as the server, and quicker to load.
async fn warn_of_holes(tools: &Tools, stop: &StopSignals) {
    match read_version(&tools.pg_controldata, stop).await {
        Ok((major, minor, _)) => {
            if let Some(holes) = floors::postgres(major, minor) {
                tracing::warn!("PostgreSQL {major}.{minor} has known holes: {holes}; build or pull new images");
            }
        }
        Err(error) => tracing::debug!("{error:#}"),
    }
}

/// A killed server left its process id. PostgreSQL would refuse to start if that number is now another process of ours, and the
/// volume's lock already says that no server lives.
fn forget_dead_server(data_dir: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(data_dir.join("postmaster.pid")) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).context("remove the postmaster.pid of a killed server"),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// One look and what follows from it.
struct Decision {
    plan: StartPlan,
    own: OwnData,
    others: ClusterView,
}

/// Looks and decides until the verdict is something to do.
async fn decide(work: &Workplace<'_>, began: Instant) -> anyhow::Result<Decision> {
    let mut said = String::new();
    let mut pause = FIRST_PAUSE;
    let mut advised = None;
    loop {
        let decision = decide_once(work, began.elapsed(), &said).await?;
        let plan = &decision.plan;
        if plan.because != said {
            tracing::info!("{}: {}", plan.verdict, plan.because);
            said.clone_from(&plan.because);
        }
        rotation::advise(&work.spec.cluster, &decision.others, &mut advised);
        if plan.verdict != Verdict::Wait {
            return Ok(decision);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 5 / 4).min(LONGEST_PAUSE);
    }
}

/// `said`: why the last look ended in waiting, for the visitors of the waiting room.
async fn decide_once(work: &Workplace<'_>, waited: Duration, said: &str) -> anyhow::Result<Decision> {
    let (own, others) = look(work, said).await?;
    let me = me(work.spec);
    let order = bootstrap_order::read();
    let plan = decision::start(&StartFacts { me: &me, own: &own, others: &others, waited, order });
    let plan = decision::with_room(plan, room_for_wal(work.data_dir()));
    Ok(Decision { plan, own, others })
}

/// Bytes. Where nothing can be read, nothing is in the way.
pub fn room_for_wal(data_dir: &Path) -> u64 {
    read_room(&data_dir.join("pg_wal")).map_or(u64::MAX, |room| room.free)
}

/// The facts of a decision. Changes nothing, also beside a running server.
pub async fn look(work: &Workplace<'_>, said: &str) -> anyhow::Result<(OwnData, ClusterView)> {
    let mut own = data_dir::read_own_data(work.data_dir(), work.spec.major, work.tools, work.stop).await?;
    work.say(RoomState::of(&own, said));
    let others = look_at_others(&work.spec.cluster, work.spec.me).await;
    if let OwnData::Valid(node) = &mut own
        && decision::needs_wal_end(node, &others)
    {
        node.wal_end = wal::read_wal_end(work.data_dir(), node, work.tools, work.stop).await?;
    }
    Ok((own, others))
}

pub fn me(spec: &PostgresSpec) -> Me {
    let node = spec.node();
    Me {
        number: node.number,
        name: node.name.clone(),
        host: node.host.clone(),
        quorum: spec.cluster.quorum(),
        bootstrap: spec.cluster.bootstrap,
        archive: if spec.archive_dir.is_some() { Archive::Shared } else { Archive::None },
    }
}

async fn carry_out(work: &Workplace<'_>, Decision { plan, own, .. }: &Decision) -> anyhow::Result<()> {
    match plan.verdict {
        Verdict::Initdb => initdb::initdb(work).await,
        Verdict::Clone { from, epoch } => {
            clone::clone(work, from, epoch).await?;
            follow(work, from, epoch).await
        }
        Verdict::Follow { upstream, epoch } => {
            work.say(RoomState::working("joining"));
            follow(work, upstream, epoch).await
        }
        Verdict::Rewind { from, epoch } => {
            rewind::rewind_or_clone(work, from, epoch, own.stopped()).await?;
            follow(work, from, epoch).await
        }
        Verdict::Resume => resume(work).await,
        Verdict::Standby => recovery::stay_standby(work.data_dir()),
        Verdict::Park => recovery::park(work.data_dir()),
        Verdict::Refuse => bail!("{}", plan.because),
        Verdict::Wait => unreachable!("decide() returns only what can be done"),
    }
}

/// Pointer, promise, slot and registration; and the wishes of the environment, on the primary, if they are new here.
async fn follow(work: &Workplace<'_>, upstream: NodeNumber, epoch: Epoch) -> anyhow::Result<()> {
    let (data, spec) = (work.data_dir(), work.spec);
    recovery::include_generated(data)?;
    recovery::point_at(data, spec, upstream, epoch)?;
    let address = work.control(&spec.cluster.nodes[upstream.index()]);
    let primary = address.connect_in_time("repmgr").await?;
    register::register_standby(&primary, &spec.cluster, spec.me, upstream).await?;
    memory::write_joined(end_of_wal(&primary).await?)?;
    leak::plant(work, &primary).await?;
    if !marker::is_provisioned(data, spec) {
        log_report(&provision::provision(spec, &address, upstream, data, "adopted").await.context("provision the primary")?);
        marker::write(data, spec, marker::Origin::Clone)?;
    }
    Ok(())
}

async fn end_of_wal(primary: &Client) -> anyhow::Result<Lsn> {
    let row =
        primary.query_one("SELECT pg_current_wal_flush_lsn()::text", &[]).await.context("ask where the primary's WAL ends")?;
    Ok(row.get::<_, &str>(0).parse()?)
}

async fn resume(work: &Workplace<'_>) -> anyhow::Result<()> {
    let (data, spec) = (work.data_dir(), work.spec);
    recovery::include_generated(data)?;
    if marker::is_provisioned(data, spec) {
        return Ok(());
    }
    let origin = marker::read(data).map_or(marker::Origin::Adopted, |marker| marker.origin);
    let server = TemporaryServer::start(work, data, Safety::Durable, Socket::Private).await?;
    let report = provision::provision(spec, server.address(), spec.me, data, "adopted").await?;
    server.stop().await?;
    recovery::begin_reign_unless_promised(data, Epoch(1))?;
    marker::write(data, spec, origin)?;
    log_report(&report);
    Ok(())
}

/// Asked once more right before the server starts: somebody may have been promoted meanwhile, or be about to be.
async fn still_resumes(work: &Workplace<'_>, began: Instant) -> anyhow::Result<bool> {
    Ok(work.spec.cluster.nodes.len() == 1 || decide_once(work, began.elapsed(), "").await?.plan.verdict == Verdict::Resume)
}

fn log_report(report: &provision::Report) {
    if report.created_roles > 0 {
        tracing::info!("created {} roles", report.created_roles);
    }
    for role in &report.changed_passwords {
        tracing::info!("changed the password of {role}");
    }
    for service in &report.removed_services {
        tracing::warn!(
            "service {service} is no longer in MSLIST; its roles and data are kept, drop them by hand if they must go"
        );
    }
}
