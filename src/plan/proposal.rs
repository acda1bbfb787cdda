//! What each order of an operator would do, and why: over one look, in words, before anything is done. Nothing here is a decision about
//! data: the deeds look and decide again.

pub mod backend;
pub mod bootstrap;
pub mod pause;
pub mod promote;
pub mod rejoin;
pub mod stop;
pub mod switchover;

use crate::model::{ClusterView, NodeNumber, NodeState, Proposal, Reach, Role};
use crate::plan::forecast::{Election, Forecast};
use crate::spec::ClusterSpec;

/// As people call it.
pub(super) fn name(cluster: &ClusterSpec, number: NodeNumber) -> &str {
    cluster.nodes[number.index()].name.as_str()
}

pub(super) fn names(cluster: &ClusterSpec, numbers: &[NodeNumber]) -> String {
    numbers.iter().map(|number| name(cluster, *number)).collect::<Vec<_>>().join(", ")
}

/// Reasons of decisions call nodes by number, people by name.
fn spoken(cluster: &ClusterSpec, proposal: Proposal) -> Proposal {
    let all = |texts: Vec<String>| texts.iter().map(|text| named(cluster, text)).collect();
    Proposal {
        because: named(cluster, &proposal.because),
        steps: all(proposal.steps),
        warnings: all(proposal.warnings),
        ..proposal
    }
}

/// `node 1` becomes `pg02`.
fn named(cluster: &ClusterSpec, text: &str) -> String {
    let mut parts = text.split("node ");
    let mut said = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        let node = part[..digits].parse().ok().and_then(|number: usize| cluster.nodes.get(number));
        match node {
            Some(node) => said.push_str(&format!("{}{}", node.name, &part[digits..])),
            None => said.push_str(&format!("node {part}")),
        }
    }
    said
}

/// Every node of the look with what it said.
pub(super) fn seen(cluster: &ClusterSpec, view: &ClusterView) -> Vec<(String, String)> {
    view.nodes.iter().map(|(number, reach)| (name(cluster, *number).to_owned(), words(reach, view, cluster))).collect()
}

fn words(reach: &Reach, view: &ClusterView, cluster: &ClusterSpec) -> String {
    match reach {
        Reach::Silent { reason } => format!("silent: {reason}"),
        Reach::Refused { reason } => format!("answers, and refuses: {reason}"),
        Reach::Untrusted { reason } => format!("cannot be believed: {reason}"),
        Reach::NotYet { reason } => reason.clone(),
        Reach::Waiting(room) => match room.detail["because"].as_str() {
            Some(because) if !because.is_empty() => format!("{}: {because}", room.state),
            Some(_) | None => room.state.clone(),
        },
        Reach::Serving(state) => server(state, view, cluster),
    }
}

fn server(state: &NodeState, view: &ClusterView, cluster: &ClusterSpec) -> String {
    let upstream = || {
        let of_ours = view.upstream_of(state).map(|number| name(cluster, number));
        of_ours.or(state.upstream.as_deref()).unwrap_or("nobody").to_owned()
    };
    let role = match (state.role, &state.upstream, state.receiver_silent_ms) {
        (Role::Primary, _, _) => "primary".to_owned(),
        (Role::Standby, None, _) => "standby that points at nobody".to_owned(),
        (Role::Standby, Some(_), Some(silent_ms)) => format!("standby, heard {} {silent_ms} ms ago", upstream()),
        (Role::Standby, Some(_), None) => format!("standby, points at {} and does not stream", upstream()),
    };
    let promise = match state.promised_epoch > state.epoch() {
        true => format!(", promised epoch {}", state.promised_epoch),
        false => String::new(),
    };
    format!("{role}; epoch {}, timeline {}, {}{promise}", state.epoch(), state.timeline, state.lsn)
}

/// The steps of a promotion.
pub(super) fn election_steps(cluster: &ClusterSpec, election: &Election) -> Vec<String> {
    let Election { epoch, candidate, rank, followers, left, .. } = election;
    let candidate = name(cluster, *candidate);
    let mut frozen = vec![election.candidate];
    frozen.extend(followers.iter().chain(left));
    frozen.sort();
    let mut steps = vec![
        format!("freeze {}: no upstream, and the promise of epoch {epoch}", names(cluster, &frozen)),
        format!("promote {candidate}, which holds the most: epoch {}, timeline {}, {}", rank.data_epoch, rank.timeline, rank.lsn),
    ];
    if !followers.is_empty() {
        steps.push(format!("point {} at {candidate}", names(cluster, followers)));
    }
    if !left.is_empty() {
        steps.push(format!("leave {} to its health check: it holds what {candidate} does not", names(cluster, left)));
    }
    steps
}

/// What would follow by itself, in one sentence.
pub(super) fn outcome(cluster: &ClusterSpec, forecast: &Forecast) -> String {
    match forecast {
        Forecast::Nothing { primary, .. } | Forecast::Finish { primary, .. } => format!("{} is primary", name(cluster, *primary)),
        Forecast::Promote(election) => {
            format!("a failover: {} is promoted to epoch {}", name(cluster, election.candidate), election.epoch)
        }
        Forecast::Unclear { because } | Forecast::No { because } => format!("nobody is promoted: {because}"),
    }
}

#[cfg(test)]
mod tests;
