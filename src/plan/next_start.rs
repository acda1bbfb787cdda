//! The decisions of a start, over facts of this moment, in words.

use std::time::Duration;

use crate::model::{ClusterView, Later, NextStart, OwnData, Role};
use crate::plan::forecast::{self, Forecast};
use crate::plan::pool::{Fitness, fitness};
use crate::plan::promotion::Asker;
use crate::plan::start::{CONFIRM_PATIENCE, Me, Order, StartFacts, StartPlan, Verdict, start, with_room};
use crate::spec::{ClusterSpec, PgpoolSpec};

/// What a start of a database container looks at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub me: &'a Me,
    pub own: &'a OwnData,
    pub others: &'a ClusterView,
    pub order: &'a Order,
    /// Bytes on the volume of its WAL.
    pub free: u64,
}

pub fn of_a_node(cluster: &ClusterSpec, facts: &Facts) -> NextStart {
    let Facts { me, own, others, order, free } = *facts;
    let decide = |waited: Duration| with_room(start(&StartFacts { me, own, others, waited, order: order.clone() }), free);
    let now = decide(Duration::ZERO);
    let later = (now.verdict == Verdict::Wait).then(|| decide(CONFIRM_PATIENCE)).filter(|later| later.verdict != Verdict::Wait);
    NextStart {
        node: me.name.to_string(),
        verdict: now.verdict.to_string(),
        because: now.because,
        later: later.map(|StartPlan { verdict, because }| Later {
            after_s: CONFIRM_PATIENCE.as_secs(),
            verdict: verdict.to_string(),
            because,
        }),
        own_data: Some(own_data(own)),
        backends: None,
        others: seen(cluster, others),
    }
}

/// Which backends pgpool would be told to use; without a primary, whether its start would promote.
pub fn of_a_pgpool(spec: &PgpoolSpec, view: &ClusterView) -> NextStart {
    let cluster = &spec.cluster;
    let backends = cluster.nodes.iter().map(|node| match fitness(view, node.number) {
        Fitness::Primary => format!("{}: up, the primary", node.name),
        Fitness::Standby => format!("{}: up, a standby that streams", node.name),
        Fitness::Unfit(reason) => format!("{}: down, {reason}", node.name),
    });
    let (verdict, because) = match view.primary() {
        Some((number, _)) => ("start", format!("{} takes writes", cluster.nodes[number.index()].name)),
        None => ("look for a primary", without_primary(spec, view)),
    };
    NextStart {
        node: spec.name.clone(),
        verdict: verdict.into(),
        because,
        later: None,
        own_data: None,
        backends: Some(backends.collect()),
        others: seen(cluster, view),
    }
}

fn own_data(own: &OwnData) -> String {
    match own {
        OwnData::None => "none".into(),
        OwnData::Unfinished { promised_epoch } => format!("unfinished rewind, promised epoch {promised_epoch}"),
        OwnData::Valid(node) => {
            let last = if node.upstream.is_none() && node.role == Role::Primary { "primary" } else { "standby" };
            let (system, timeline, promised) = (node.system_id, node.timeline, node.promised_epoch);
            format!("system {system}, last a {last}, timeline {timeline}, promised epoch {promised}")
        }
    }
}

fn seen(cluster: &ClusterSpec, view: &ClusterView) -> Vec<String> {
    view.nodes.iter().map(|(number, reach)| format!("{} {}", cluster.nodes[number.index()].name, reach.word())).collect()
}

fn without_primary(spec: &PgpoolSpec, view: &ClusterView) -> String {
    let after = spec.search_primary.as_secs();
    match forecast::promotion(view, &spec.cluster, Asker::Machine, None) {
        Forecast::Promote(election) => {
            let name = &spec.cluster.nodes[election.candidate.index()].name;
            format!("after {after} s it would promote {name}: {}", election.because)
        }
        Forecast::Finish { epoch, .. } => format!("the promotion to epoch {epoch} was not finished; it would finish it"),
        Forecast::Nothing { because, .. } | Forecast::Unclear { because } | Forecast::No { because } => because,
    }
}
