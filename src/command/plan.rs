//! `pgcluster plan`: what this container would do if it started now, and why. The decisions of a start, over facts of this moment.

use std::time::Duration;

use serde_json::{Value, json};

use crate::act::bootstrap_order;
use crate::act::signal::StopSignals;
use crate::act::start;
use crate::act::workplace::Workplace;
use crate::command::block_on;
use crate::exit::Exit;
use crate::model::{ClusterView, OwnData};
use crate::observe::here::Here;
use crate::observe::tools::Tools;
use crate::plan::pool::{Fitness, fitness};
use crate::plan::promotion::{self, Asker, Need};
use crate::plan::start::{self as decision, CONFIRM_PATIENCE, StartFacts, StartPlan, Verdict};
use crate::render::text::{WIDTH, wrapped};
use crate::spec::{ClusterSpec, PgpoolSpec, PostgresSpec};

pub fn run(json: bool, stop: StopSignals) -> anyhow::Result<Exit> {
    let said = match Here::read()? {
        Here::Postgres(spec) => of_a_node(&spec, &stop)?,
        Here::Pgpool(spec) => of_a_pgpool(&spec),
    };
    match json {
        true => println!("{said}"),
        false => print!("{}", text(&said)),
    }
    Ok(Exit::Ok)
}

fn of_a_node(spec: &PostgresSpec, stop: &StopSignals) -> anyhow::Result<Value> {
    let tools = Tools::find()?;
    let work = Workplace { spec, tools: &tools, stop, sign: None };
    let (own, others) = block_on(start::look(&work, ""))?;
    let (me, order) = (start::me(spec), bootstrap_order::read());
    let free = start::room_for_wal(&spec.data_dir);
    let decide = |waited: Duration| {
        let plan = decision::start(&StartFacts { me: &me, own: &own, others: &others, waited, order: order.clone() });
        decision::with_room(plan, free)
    };
    let now = decide(Duration::ZERO);
    let later = (now.verdict == Verdict::Wait).then(|| decide(CONFIRM_PATIENCE)).filter(|later| later.verdict != Verdict::Wait);
    Ok(json!({
        "node": spec.node().name,
        "verdict": now.verdict.to_string(),
        "because": now.because,
        "later": later.as_ref().map(|plan: &StartPlan| json!({ "verdict": plan.verdict.to_string(), "because": plan.because })),
        "own_data": own_data(&own),
        "others": others_seen(&spec.cluster, &others),
    }))
}

fn own_data(own: &OwnData) -> String {
    match own {
        OwnData::None => "none".into(),
        OwnData::Unfinished { promised_epoch } => format!("unfinished rewind, promised epoch {promised_epoch}"),
        OwnData::Valid(node) => format!(
            "system {}, last a {}, timeline {}, promised epoch {}",
            node.system_id,
            if node.upstream.is_none() && node.role == crate::model::Role::Primary { "primary" } else { "standby" },
            node.timeline,
            node.promised_epoch
        ),
    }
}

fn others_seen(cluster: &ClusterSpec, view: &ClusterView) -> Vec<String> {
    view.nodes.iter().map(|(number, reach)| format!("{} {}", cluster.nodes[number.index()].name, reach.word())).collect()
}

/// Which backends pgpool would be told to use; without a primary, whether its start would promote.
fn of_a_pgpool(spec: &PgpoolSpec) -> Value {
    let cluster = &spec.cluster;
    let (view, _sessions) = block_on(Here::Pgpool(Box::new(spec.clone())).ask_states());
    let backends = cluster.nodes.iter().map(|node| match fitness(&view, node.number) {
        Fitness::Primary => format!("{}: up, the primary", node.name),
        Fitness::Standby => format!("{}: up, a standby that streams", node.name),
        Fitness::Unfit(reason) => format!("{}: down, {reason}", node.name),
    });
    let backends: Vec<String> = backends.collect();
    let (verdict, because) = match view.primary() {
        Some((number, _)) => ("start", format!("{} takes writes", cluster.nodes[number.index()].name)),
        None => ("look for a primary", without_primary(spec, &view)),
    };
    json!({ "node": spec.name, "verdict": verdict, "because": because, "later": null, "backends": backends, "others": others_seen(cluster, &view) })
}

fn without_primary(spec: &PgpoolSpec, view: &ClusterView) -> String {
    let quorum = spec.cluster.quorum();
    let after = spec.search_primary.as_secs();
    match (promotion::need(view, 0), promotion::electorate(view, quorum, Asker::Machine)) {
        (Need::Promote { because }, Ok(_)) => format!("after {after} s it would promote a standby: {because}"),
        (Need::Promote { because }, Err(reason)) => format!("{because}; no promotion: {reason}"),
        (Need::None { because, .. } | Need::Lives { because } | Need::Unclear { because }, _) => because,
        (Need::Finish { epoch, .. }, _) => format!("the promotion to epoch {epoch} was not finished; it would finish it"),
    }
}

fn text(said: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut text =
        format!("{} would {}\n{}", word(&said["node"]), word(&said["verdict"]), wrapped(&word(&said["because"]), 4, WIDTH));
    if !said["later"].is_null() {
        let later = &said["later"];
        text.push_str(&format!("and, if nothing changes, after {} s: {}\n", CONFIRM_PATIENCE.as_secs(), word(&later["verdict"])));
        text.push_str(&wrapped(&word(&later["because"]), 4, WIDTH));
    }
    if let Some(own) = said["own_data"].as_str() {
        text.push_str(&wrapped(&format!("own data: {own}"), 0, WIDTH));
    }
    for (heading, list) in [("backend ", &said["backends"]), ("seen: ", &said["others"])] {
        let lines = list.as_array().map(Vec::as_slice).unwrap_or_default();
        lines.iter().for_each(|line| text.push_str(&wrapped(&format!("{heading}{}", word(line)), 0, WIDTH)));
    }
    text
}
