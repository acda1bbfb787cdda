//! `pgcluster status`: every node as it really is.

use serde_json::{Value, json};

use crate::command::block_on;
use crate::exit::Exit;
use crate::model::{ClusterView, NodeNumber, NodeState, PoolView, Reach, Role};
use crate::observe::environment::{self, Image};
use crate::observe::peer::{self, look};
use crate::observe::pool;
use crate::pcp::Pcp;
use crate::spec::{ClusterKind, ClusterSpec, Node, PgpoolSpec, Replication};

pub fn run(json: bool) -> anyhow::Result<Exit> {
    let snapshot = environment::kept_or_own()?;
    let (cluster, view, pgpool) = match environment::image() {
        Image::Postgres => {
            let spec = environment::postgres_spec(&snapshot)?;
            let view = block_on(async {
                match spec.cluster.kind {
                    ClusterKind::Standalone => peer::look_at_self(&spec).await,
                    ClusterKind::Cluster => look(&spec.cluster, spec.cluster.nodes.iter()).await,
                }
            });
            (spec.cluster, view, None)
        }
        Image::Pgpool => {
            let spec = environment::pgpool_spec(&snapshot)?;
            let (view, opinion) = block_on(look_with_pgpool(&spec));
            (spec.cluster, view, Some(opinion))
        }
    };
    match json {
        true => println!("{}", as_json(&cluster, &view, pgpool.as_ref())),
        false => print!("{}", as_text(&cluster, &view, pgpool.as_ref())),
    }
    Ok(exit(&view))
}

/// What the pgpool of this container believes; none if it does not say.
struct Opinion {
    name: String,
    view: Option<PoolView>,
}

impl Opinion {
    fn word(&self, number: NodeNumber) -> Option<&'static str> {
        self.view.as_ref()?.backend(number).map(|backend| backend.status.word())
    }
}

async fn look_with_pgpool(spec: &PgpoolSpec) -> (ClusterView, Opinion) {
    let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    let believed = match Pcp::connect(spec).await {
        Ok(mut pcp) => {
            let believed = pool::read_all(&mut pcp, &view).await;
            pcp.close().await;
            Some(believed)
        }
        Err(_) => None,
    };
    (view, Opinion { name: spec.name.clone(), view: believed })
}

fn exit(view: &ClusterView) -> Exit {
    let follows = |state: &NodeState| state.role == Role::Primary || state.receiver_silent_ms.is_some();
    match (view.primary(), view.nodes.iter().all(|(_, reach)| reach.serving().is_some_and(follows))) {
        (None, _) => Exit::Broken,
        (Some(_), false) => Exit::Failed,
        (Some(_), true) => Exit::Ok,
    }
}

fn as_text(cluster: &ClusterSpec, view: &ClusterView, pgpool: Option<&Opinion>) -> String {
    let heading = pgpool.map_or(String::new(), |opinion| format!("{:<9}", opinion.name));
    let mut text =
        format!("{:<12} {heading}{:<11} {:>5} {:>8} {:>14}  {}\n", "node", "state", "epoch", "timeline", "lsn", "upstream");
    for node in &cluster.nodes {
        let reach = view.reach(node.number);
        let believed = pgpool.map_or(String::new(), |opinion| format!("{:<9}", opinion.word(node.number).unwrap_or("?")));
        let line = match reach.and_then(Reach::serving) {
            Some(state) => format!(
                "{:<12} {believed}{:<11} {:>5} {:>8} {:>14}  {}",
                node.name.as_str(),
                state_word(reach),
                state.epoch().to_string(),
                state.timeline.to_string(),
                state.lsn.to_string(),
                state.upstream.as_deref().unwrap_or("-")
            ),
            None => {
                format!("{:<12} {believed}{:<11} {}", node.name.as_str(), state_word(reach), detail(reach).unwrap_or_default())
            }
        };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn state_word(reach: Option<&Reach>) -> &'static str {
    match reach {
        Some(Reach::Serving(state)) if state.role == Role::Primary => "primary",
        Some(Reach::Serving(state)) if state.upstream.is_none() => "frozen",
        Some(Reach::Serving(_)) => "standby",
        Some(Reach::Waiting(_) | Reach::NotYet { .. }) => "waiting",
        Some(Reach::Silent { .. } | Reach::Refused { .. }) | None => "unreachable",
    }
}

fn detail(reach: Option<&Reach>) -> Option<String> {
    match reach? {
        Reach::Silent { reason } | Reach::NotYet { reason } | Reach::Refused { reason } => Some(reason.clone()),
        Reach::Waiting(room) => Some(room.state.clone()),
        Reach::Serving(_) => None,
    }
}

fn as_json(cluster: &ClusterSpec, view: &ClusterView, pgpool: Option<&Opinion>) -> Value {
    let primary = view.primary();
    let seen = view.nodes.iter().filter(|(_, reach)| !reach.is_silent()).count();
    json!({
        "cluster": {
            "epoch": primary.map(|(_, state)| state.epoch()),
            "primary": primary.map(|(number, _)| &cluster.nodes[number.index()].name),
            "writable": primary.is_some(),
            "sync": cluster.replication == Replication::Sync,
            "quorum": { "nodes": cluster.nodes.len(), "seen": seen },
        },
        "nodes": cluster.nodes.iter().map(|node| node_json(node, view, pgpool)).collect::<Vec<_>>(),
        "pgpools": pgpool.map(|opinion| pgpool_json(cluster, opinion)).into_iter().collect::<Vec<_>>(),
        "problems": [],
    })
}

fn pgpool_json(cluster: &ClusterSpec, opinion: &Opinion) -> Value {
    let primary = opinion.view.as_ref().and_then(PoolView::primary);
    json!({
        "name": opinion.name,
        "state": if opinion.view.is_some() { "serving" } else { "unreachable" },
        "primary": primary.map(|number| &cluster.nodes[number.index()].name),
    })
}

fn node_json(node: &Node, view: &ClusterView, pgpool: Option<&Opinion>) -> Value {
    let reach = view.reach(node.number);
    let state = reach.and_then(Reach::serving);
    let primary_lsn = view.primary().map(|(_, primary)| primary.lsn);
    json!({
        "number": node.number,
        "name": node.name,
        "host": node.host,
        "port": node.port,
        "state": state_word(reach),
        "detail": detail(reach),
        "epoch": state.map(NodeState::epoch),
        "promised_epoch": state.map(|s| s.promised_epoch),
        "timeline": state.map(|s| s.timeline),
        "lsn": state.map(|s| s.lsn),
        "lag_bytes": state.and_then(|s| Some(primary_lsn?.0.saturating_sub(s.lsn.0))),
        "lag_seconds": null,
        "upstream": state.and_then(|s| s.upstream.as_ref()),
        "sync_state": null,
        "repmgr": null,
        "pgpool": pgpool.and_then(|opinion| Some(json!({ &opinion.name: opinion.word(node.number)? }))),
    })
}
