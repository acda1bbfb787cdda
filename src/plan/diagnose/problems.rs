//! What is wrong, each with its code, what was seen, and what to do.

use super::codes::{self, Code};
use super::{Facts, serves};
use crate::model::{BackendStatus, InUse, NodeNumber, NodeReport, NodeState, PoolView, Problem, Reach, Role, StateWord};
use crate::plan::pool::{Fitness, fitness};
use crate::plan::promotion::untrusted_upstream;
use crate::render::text::bytes;
use crate::spec::FailoverMode;

/// More WAL than this is not what a busy second writes.
pub const LAG_BYTES: u64 = 64 << 20;
pub const LAG_SECONDS: f64 = 30.0;
const DAY_S: i64 = 86_400;
/// Time enough to make a new one.
const CERTIFICATE_DAYS: i64 = 30;

pub(super) fn problems(facts: &Facts, nodes: &[NodeReport]) -> Vec<Problem> {
    let mut found = Vec::new();
    of_the_cluster(facts, &mut found);
    for node in nodes {
        of_a_node(facts, node, &mut found);
    }
    for node in nodes {
        of_beliefs(facts, node, &mut found);
    }
    of_pools(facts, &mut found);
    for problem in &mut found {
        if let Some(number) = problem.node {
            problem.fix = problem.fix.replace("NAME", facts.node(number).name.as_str());
        }
    }
    found.sort_by_key(|problem| std::cmp::Reverse(problem.weight));
    found
}

/// The fix names the node where there is one; in the table it says NAME.
fn problem(code: Code, node: Option<NodeNumber>, text: String) -> Problem {
    Problem { code: code.word, text, fix: code.fix.to_owned(), weight: code.weight, node }
}

fn standbys(count: usize) -> String {
    match count {
        1 => "1 standby answers".into(),
        n => format!("{n} standbys answer"),
    }
}

fn of_the_cluster(facts: &Facts, found: &mut Vec<Problem>) {
    let Some((number, primary)) = facts.view.primary() else {
        found.push(problem(codes::NO_PRIMARY, None, no_primary(facts)));
        of_failover_mode(facts, found);
        return;
    };
    let name = &facts.node(number).name;
    let rival = |(other, state): &(NodeNumber, &NodeState)| {
        state.role == Role::Primary && *other != number && state.system_id == primary.system_id
    };
    for (other, state) in facts.view.serving().filter(rival) {
        let older = &facts.node(other).name;
        let text = format!(
            "{name} and {older} both take writes: {name} reigns in epoch {}, the reign of {older} (epoch {}) is over",
            primary.epoch(),
            state.epoch()
        );
        found.push(problem(codes::TWO_PRIMARIES, Some(other), text));
    }
    let details = facts.details(number);
    if primary.promised_epoch > primary.epoch() || details.is_some_and(|details| details.read_only) {
        let text = format!("{name} was promoted to epoch {} and is not opened yet", primary.own_reign());
        found.push(problem(codes::REIGN_UNFINISHED, Some(number), text));
    }
    let (acknowledging, needed) = (facts.acknowledging(), facts.cluster.quorum().acks);
    if let Some(details) = details
        && acknowledging < needed
    {
        let text = format!(
            "{acknowledging} of the {needed} standbys that a commit needs acknowledge; {} sessions wait",
            details.commits_waiting
        );
        found.push(problem(codes::COMMITS_WAIT, None, text));
    }
    let answering = facts.view.serving().filter(|(_, state)| state.role == Role::Standby).count();
    let needed = facts.cluster.quorum().promotion;
    if facts.cluster.nodes.len() > 1 && answering < needed {
        let text = format!("{}, a promotion needs {needed}: the primary cannot be replaced now", standbys(answering));
        found.push(problem(codes::NO_ELECTION, None, text));
    }
    of_failover_mode(facts, found);
}

fn of_failover_mode(facts: &Facts, found: &mut Vec<Problem>) {
    if !facts.is_cluster() || facts.cluster.nodes.len() < 2 {
        return;
    }
    match (facts.paused, facts.cluster.failover) {
        (Some(words), _) => found.push(problem(codes::FAILOVER_PAUSED, None, words.to_owned())),
        (None, FailoverMode::Auto) => {}
        (None, FailoverMode::Manual) => found.push(problem(codes::MANUAL_FAILOVER, None, "FAILOVER_MODE=manual".into())),
        (None, FailoverMode::Repmgrd) => found.push(problem(codes::MANUAL_FAILOVER, None, "FAILOVER_MODE=repmgrd".into())),
    }
}

/// Why nobody reigns, as far as one look tells.
fn no_primary(facts: &Facts) -> String {
    let answering = facts.view.serving().filter(|(_, state)| state.role == Role::Standby).count();
    let silent = facts.view.silent().count();
    let needed = facts.cluster.quorum().promotion;
    let all = facts.cluster.nodes.len();
    match answering {
        _ if all == 1 => "the node does not serve".into(),
        0 => format!("no node takes writes: no server answers as a standby, {silent} of {all} nodes are silent"),
        n if n < needed => {
            format!("no node takes writes: {}, a promotion needs {needed}; {silent} of {all} nodes are silent", standbys(n))
        }
        n => match untrusted_upstream(facts.view) {
            Some((number, _)) => {
                let name = &facts.node(number).name;
                format!("no node takes writes: nobody is promoted in the place of {name}, which answers and cannot be believed")
            }
            None => format!("no node takes writes: {}, which is enough for a promotion", standbys(n)),
        },
    }
}

fn of_a_node(facts: &Facts, node: &NodeReport, found: &mut Vec<Problem>) {
    let name = &node.name;
    let mut say = |code: Code, text: String| found.push(problem(code, Some(node.number), text));
    let detail = node.detail.as_deref().unwrap_or("no word");
    match (node.state, facts.view.reach(node.number)) {
        (StateWord::Unreachable, Some(Reach::Refused { .. })) => say(codes::NODE_REFUSES, format!("{name} refuses: {detail}")),
        (StateWord::Unreachable, Some(Reach::Untrusted { .. })) => {
            say(codes::NODE_UNTRUSTED, format!("{name} cannot be believed: {detail}"))
        }
        (StateWord::Unreachable, _) => say(codes::NODE_UNREACHABLE, format!("{name} does not answer: {detail}")),
        (StateWord::Waiting, _) => say(codes::NODE_WAITING, format!("{name} is not serving yet: {detail}")),
        (StateWord::Parked, _) => {
            say(codes::NODE_PARKED, format!("{name} is parked: read-only, following nobody, epoch {}", number(node.epoch)))
        }
        (StateWord::Frozen, _) => say(
            codes::NODE_FROZEN,
            format!("{name} is frozen: it promised epoch {} and follows nobody", number(node.promised_epoch)),
        ),
        (StateWord::Primary | StateWord::Standby, _) => {}
    }
    if let Some(said) = facts.details(node.number).and_then(|details| ends_soon(details.certificate.as_ref()?)) {
        found.push(problem(codes::CERTIFICATE_ENDS, Some(node.number), format!("{name}: {said}")));
    }
    if let Some(state) = facts.view.reach(node.number).and_then(Reach::serving) {
        of_a_server(facts, node, state, found);
    }
}

/// In words; none while there is time.
pub fn ends_soon(InUse { certificate, left_s }: &InUse) -> Option<String> {
    let (subject, ends) = (&certificate.subject, &certificate.ends);
    match left_s / DAY_S {
        _ if *left_s < 0 => Some(format!("the certificate {subject} is over since {ends}")),
        days if days < CERTIFICATE_DAYS => Some(format!("the certificate {subject} ends in {days} days, on {ends}")),
        _ => None,
    }
}

fn number<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "unknown".into(), |value| value.to_string())
}

fn of_a_server(facts: &Facts, node: &NodeReport, state: &NodeState, found: &mut Vec<Problem>) {
    let name = &node.name;
    let mut say = |code: Code, text: String| found.push(problem(code, Some(node.number), text));
    let Some((of, primary)) = facts.view.primary() else { return };
    let reigns = &facts.node(of).name;
    if state.system_id != primary.system_id {
        say(
            codes::OTHER_CLUSTER,
            format!("{name} has system identifier {}, {reigns} has {}", state.system_id, primary.system_id),
        );
        return;
    }
    if state.role == Role::Primary {
        return;
    }
    if node.state == StateWord::Standby {
        let upstream = state.upstream.as_deref().unwrap_or("nobody");
        match facts.view.named(upstream) == Some(of) {
            false => say(codes::WRONG_UPSTREAM, format!("{name} follows {upstream}, the primary is {reigns}")),
            true if state.receiver_silent_ms.is_none() => {
                say(codes::NOT_STREAMING, format!("{name} receives nothing from {reigns}"))
            }
            true => {}
        }
    }
    if state.promised_epoch > primary.own_reign() {
        say(
            codes::NEWER_PROMISE,
            format!("{name} promised epoch {}, and {reigns} reigns in {}", state.promised_epoch, primary.own_reign()),
        );
    }
    let lags = node.lag_bytes.is_some_and(|bytes| bytes >= LAG_BYTES)
        || node.lag_bytes.is_some_and(|bytes| bytes > 0) && node.lag_seconds.is_some_and(|seconds| seconds >= LAG_SECONDS);
    if lags {
        let seconds = node.lag_seconds.map_or_else(|| "an unknown time".into(), |s| format!("{s:.0} s"));
        say(codes::LAG, format!("{name} lacks {} of WAL, {seconds} behind", bytes(node.lag_bytes.unwrap_or(0))));
    }
    if facts.details(node.number).is_some_and(|details| details.replay_paused) {
        say(codes::REPLAY_PAUSED, format!("{name} receives WAL and does not replay it"));
    }
}

/// repmgr's rows against the truth. Of nodes that do not serve nothing is known, and their rows may say what they will.
fn of_beliefs(facts: &Facts, node: &NodeReport, found: &mut Vec<Problem>) {
    let Some(of) = facts.primary() else { return };
    if !facts.is_cluster() || !serves(facts.view.reach(node.number)) || facts.details(of).is_none() {
        return;
    }
    let name = &node.name;
    let is_primary = node.number == of;
    let follows = node.streaming == Some(true) && node.upstream.as_deref().and_then(|host| facts.view.named(host)) == Some(of);
    if !is_primary && !follows {
        return;
    }
    let (kind, upstream) = if is_primary { ("primary", None) } else { ("standby", Some(of.id())) };
    match &node.repmgr {
        None => found.push(problem(codes::METADATA_MISSING, Some(node.number), format!("repmgr.nodes has no row for {name}"))),
        Some(row) if row.kind == kind && row.active && row.upstream == upstream => {}
        Some(row) => {
            let active = if row.active { "active" } else { "inactive" };
            let above = row.upstream.map_or_else(|| "nobody".into(), |id| format!("node {id}"));
            let text = format!("repmgr.nodes has {name} as {active} {} of {above}; it is a {kind}", row.kind);
            found.push(problem(codes::METADATA_WRONG, Some(node.number), text));
        }
    }
}

fn of_pools(facts: &Facts, found: &mut Vec<Problem>) {
    for pool in facts.pools {
        let Some(view) = &pool.view else {
            found.push(problem(codes::POOL_UNREACHABLE, None, format!("{} does not answer", pool.name)));
            continue;
        };
        if let Some(of) = facts.primary()
            && view.primary() != Some(of)
        {
            let believed = view.primary().map_or_else(|| "nobody".into(), |number| facts.node(number).name.to_string());
            let text = format!("{} sends writes to {believed}, the primary is {}", pool.name, facts.node(of).name);
            found.push(problem(codes::POOL_WRONG_PRIMARY, Some(of), text));
        }
        for node in &facts.cluster.nodes {
            of_a_backend(facts, &pool.name, view, node.number, found);
        }
    }
}

fn of_a_backend(facts: &Facts, pool: &str, view: &PoolView, number: NodeNumber, found: &mut Vec<Problem>) {
    let name = &facts.node(number).name;
    let Some(backend) = view.backend(number) else { return };
    // Without a primary nobody is fit, and that is said already.
    if facts.primary().is_none() {
        return;
    }
    match (fitness(facts.view, number), backend.status) {
        (Fitness::Primary | Fitness::Standby, BackendStatus::Down) => {
            found.push(problem(codes::POOL_LACKS_NODE, Some(number), format!("{pool} has {name} down, and {name} is well")));
        }
        (Fitness::Unfit(reason), BackendStatus::Up | BackendStatus::Waiting) => {
            found.push(problem(codes::POOL_SENDS_TO_SICK, Some(number), format!("{pool} has {name} up: {reason}")));
        }
        (_, BackendStatus::Unused) => {
            found.push(problem(codes::POOL_UNUSED, Some(number), format!("{pool} does not use {name}")));
        }
        (Fitness::Primary | Fitness::Standby, BackendStatus::Up | BackendStatus::Waiting) => {}
        (Fitness::Unfit(_), BackendStatus::Down) => {}
    }
}
