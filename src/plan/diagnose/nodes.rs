//! One node's line of the report.

use super::{Facts, beliefs};
use crate::model::{Details, Lsn, NodeReport, NodeState, Reach, Role, StateWord};
use crate::spec::Node;

pub(super) fn node_report(facts: &Facts, node: &Node) -> NodeReport {
    let reach = facts.view.reach(node.number);
    let state = reach.and_then(Reach::serving);
    let details = facts.details(node.number);
    let lag_bytes = state.and_then(|state| lag_bytes(facts, state, details));
    NodeReport {
        number: node.number,
        name: node.name.clone(),
        host: node.host.clone(),
        port: node.port,
        state: state_word(reach),
        detail: detail(reach),
        epoch: state.map(NodeState::epoch),
        promised_epoch: state.map(|state| state.promised_epoch),
        timeline: state.map(|state| state.timeline),
        lsn: state.map(|state| state.lsn),
        lag_bytes,
        lag_seconds: lag_bytes.and_then(|bytes| lag_seconds(facts, node, details, bytes)),
        upstream: state.and_then(|state| state.upstream.clone()),
        streaming: state.filter(|state| state.role == Role::Standby).map(|state| state.receiver_silent_ms.is_some()),
        sync_state: sync_state(facts, node),
        repmgr: facts.repmgr_row(node).cloned(),
        pgpool: beliefs(facts, node.number),
    }
}

/// Frozen and parked look alike but for the promise: a promotion raises it first.
pub fn state_word(reach: Option<&Reach>) -> StateWord {
    match reach {
        None | Some(Reach::Silent { .. } | Reach::Refused { .. } | Reach::Untrusted { .. }) => StateWord::Unreachable,
        Some(Reach::Waiting(_) | Reach::NotYet { .. }) => StateWord::Waiting,
        Some(Reach::Serving(state)) => match (state.role, &state.upstream) {
            (Role::Primary, _) => StateWord::Primary,
            (Role::Standby, Some(_)) => StateWord::Standby,
            (Role::Standby, None) if state.promised_epoch > state.epoch() => StateWord::Frozen,
            (Role::Standby, None) => StateWord::Parked,
        },
    }
}

fn detail(reach: Option<&Reach>) -> Option<String> {
    match reach? {
        Reach::Silent { reason } | Reach::NotYet { reason } | Reach::Refused { reason } | Reach::Untrusted { reason } => {
            Some(reason.clone())
        }
        Reach::Waiting(room) => Some(match room.detail["because"].as_str() {
            Some(because) if !because.is_empty() => format!("{}: {because}", room.state),
            Some(_) | None => room.state.clone(),
        }),
        Reach::Serving(_) => None,
    }
}

/// What its sessions do not see yet; without details what it did not receive yet. Nodes are asked at different moments: never negative.
fn lag_bytes(facts: &Facts, state: &NodeState, details: Option<&Details>) -> Option<u64> {
    let (_, primary) = facts.view.primary()?;
    let seen: Lsn = details.and_then(|details| details.replayed).unwrap_or(state.lsn);
    match state.role {
        Role::Primary => Some(0),
        Role::Standby if state.system_id != primary.system_id => None,
        Role::Standby => Some(primary.lsn.0.saturating_sub(seen.0)),
    }
}

/// By the primary's clock where it knows (`replay_lag`); else the age of the last commit that was replayed.
fn lag_seconds(facts: &Facts, node: &Node, details: Option<&Details>, bytes: u64) -> Option<f64> {
    if bytes == 0 {
        return Some(0.0);
    }
    let receiver = facts
        .primary()
        .and_then(|number| facts.details(number))
        .and_then(|primary| primary.receivers.iter().find(|receiver| receiver.name == node.name.as_str()));
    match receiver {
        Some(receiver) => receiver.replay_lag_s,
        None => details.and_then(|details| details.last_commit_age_s),
    }
}

fn sync_state(facts: &Facts, node: &Node) -> Option<String> {
    let primary = facts.details(facts.primary()?)?;
    primary.receivers.iter().find(|receiver| receiver.name == node.name.as_str()).map(|receiver| receiver.sync_state.clone())
}
