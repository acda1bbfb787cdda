//! Carries a pgpool container to the point where pgpool can be exec'd: wait for a primary, write every file from what was seen.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine;

use crate::act::file::{self, Durability};
use crate::act::pool_patience::wait_for_standbys;
use crate::act::promote::{self, Outcome, Wish};
use crate::act::signal::StopSignals;
use crate::act::waiting_room::WaitingRoom;
use crate::act::workplace::RUN_DIR;
use crate::act::{pool_guard, pool_login, pool_pulse, rotation, rotation_watch, tls};
use crate::model::{ClusterView, NodeNumber, Reach, RoomState, Takes};
use crate::observe::passwords;
use crate::observe::peer::look;
use crate::observe::pool_processes::PID_FILE;
use crate::observe::tools::read_version;
use crate::plan::floors;
use crate::plan::pool::{Fitness, fitness, upstream_is_silent};
use crate::render::{NodeStatus, PgpoolFacts, TlsPaths, pgpool_files};
use crate::spec::{FailoverMode, Node, PgpoolSpec, Replication, Secret};

/// All that pgpool says of a failed node; hints, facts are asked for.
const FAILOVER_COMMAND: &str = "/usr/local/bin/pgcluster failover %d %h %p %D %m %H %M %P %r %R %N %S";
const PAUSE: Duration = Duration::from_millis(200);
/// Patience is for a primary that starts, or stops; one whose standbys are there and that gives no answer at all has had enough of it.
const SILENCE: Duration = Duration::from_secs(4);
const ELECTION_DEADLINE: Duration = Duration::from_secs(5);

/// Returns when a primary is known and every file tells the truth about it.
pub async fn start(spec: &PgpoolSpec, stop: &StopSignals) -> anyhow::Result<()> {
    tls::check(&spec.cluster, None)?;
    let room = WaitingRoom::open(&spec.name, spec.port, tls::acceptor(spec.cluster.tls.as_ref(), &spec.name)?).await?;
    room.set(&RoomState::working("looking for the primary"));
    let view = find_primary(spec).await;
    let view = wait_for_standbys(spec, view).await;
    let spec = &PgpoolSpec { cluster: rotation::with_password_in_use(&spec.cluster).await?, ..spec.clone() };
    if passwords::held() == Takes::Previous {
        rotation_watch::announce_start(spec).await;
    }
    let mut facts = facts(spec, node_status(spec, &view))?;
    let (major, minor, patch) = read_version("pgpool", stop).await?;
    facts.version = (major, minor);
    if let Some(holes) = floors::pgpool(major, minor, patch) {
        tracing::warn!("pgpool-II {major}.{minor}.{patch} has known holes: {holes}; build or pull a new image");
    }
    write(spec, &facts)?;
    pool_login::check(spec, &view).await;
    room.close().await;
    Ok(())
}

/// Waits for a primary, and makes one when none comes by itself; logs whenever the picture changes.
async fn find_primary(spec: &PgpoolSpec) -> ClusterView {
    let began = Instant::now();
    let mut patience = spec.search_primary;
    let mut said = String::new();
    let mut silent_since = None;
    let mut advised = None;
    loop {
        let asked = Instant::now();
        let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
        let picture = picture(spec, &view);
        if picture != said {
            tracing::info!("nodes: {picture}");
            said = picture;
        }
        if view.primary().is_some() {
            return view;
        }
        rotation::advise(&spec.cluster, &view, &mut advised);
        // Without synchronous replication a hasty promotion loses commits of a primary that is only late.
        let is_lost = spec.cluster.replication == Replication::Sync && upstream_is_silent(&view);
        silent_since = is_lost.then(|| silent_since.unwrap_or(asked));
        if began.elapsed() >= patience || silent_since.is_some_and(|since: Instant| since.elapsed() >= SILENCE) {
            promote_one(spec).await;
            patience = began.elapsed() + spec.search_primary;
            silent_since = None;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `pg01 primary, pg02 waiting (cloning), pg03 silent`.
pub fn picture(spec: &PgpoolSpec, view: &ClusterView) -> String {
    let word = |(number, reach): &(NodeNumber, Reach)| format!("{} {}", spec.cluster.nodes[number.index()].name, reach.word());
    view.nodes.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// The primary died while no pgpool was there to notice: decided by the same function as a failover, before pgpool starts.
async fn promote_one(spec: &PgpoolSpec) {
    if spec.cluster.failover != FailoverMode::Auto {
        return;
    }
    let reason = format!("pgpool {} started and found no primary", spec.name);
    let wish = Wish::of_machine(&spec.cluster, &reason, ELECTION_DEADLINE);
    match promote::promote(wish).await {
        Outcome::Promoted { primary } => tracing::info!("promoted node {primary}: nobody was primary"),
        Outcome::None { .. } => {}
        Outcome::Lives { because } | Outcome::Impossible { because } => tracing::warn!("no promotion: {because}"),
    }
}

/// What pgpool shall believe of each backend at its start; the health check goes by the same rule.
fn node_status(spec: &PgpoolSpec, view: &ClusterView) -> Vec<NodeStatus> {
    let status = |node: &Node| match fitness(view, node.number) {
        Fitness::Primary | Fitness::Standby => NodeStatus::Up,
        Fitness::Unfit(_) => NodeStatus::Down,
    };
    spec.cluster.nodes.iter().map(status).collect()
}

/// Everything that rendering needs to know of this container, except pgpool's version.
pub fn facts(spec: &PgpoolSpec, node_status: Vec<NodeStatus>) -> anyhow::Result<PgpoolFacts> {
    let run = Path::new(RUN_DIR);
    Ok(PgpoolFacts {
        version: (4, 6),
        tls: TlsPaths {
            cert: run.join("tls.crt"),
            key: run.join("tls.key"),
            ca: spec.cluster.tls.as_ref().and_then(|files| files.ca.as_ref()).map(|_| run.join("tls.ca")),
        },
        pool_key: Secret::new(base64::engine::general_purpose::STANDARD.encode(rand::random::<[u8; 24]>())),
        node_status,
        failover_command: FAILOVER_COMMAND.into(),
        users: Vec::new(),
    })
}

fn write(spec: &PgpoolSpec, facts: &PgpoolFacts) -> anyhow::Result<()> {
    let mut files = tls::certificate(spec.cluster.tls.as_ref(), &spec.name, Path::new(RUN_DIR))?;
    files.extend(pgpool_files(spec, facts).context("render the configuration")?);
    file::write_all(&files, Durability::Rebuilt).context("write the configuration")?;
    // pgpool takes a pid file that survived a kill for a living pgpool and refuses to start for ever.
    pool_guard::forget_files(spec.port);
    let _ = std::fs::remove_file(pool_pulse::TOLD);
    std::fs::write(PID_FILE, std::process::id().to_string()).context("write the pid that pgpool will have")
}
