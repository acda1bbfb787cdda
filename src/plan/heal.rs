//! What a running node does about what it sees: one action per look, each with its reason. The health check carries it out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{ClusterView, Epoch, NodeNumber, NodeState, Rank, Reach, Role};
use crate::spec::FailoverMode;

/// How long a contradiction may last before a primary gives way to it.
pub const CONTRADICTION: Duration = Duration::from_secs(10);
/// How much longer than the best candidate the next best waits, in case the best one's health check is dead.
pub const STAGGER: Duration = Duration::from_secs(5);

/// This node and what it sees of the others, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub number: NodeNumber,
    pub me: &'a NodeState,
    /// New sessions may not write: a promotion is not finished.
    pub read_only: bool,
    pub others: &'a ClusterView,
    pub failover: FailoverMode,
    pub failover_after: Duration,
    pub memory: Memory,
}

/// What earlier looks of the same container found, as durations until now.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// No primary was seen by any look for this long.
    pub without_primary: Duration,
    /// This primary has been contradicted by a higher promise for this long.
    pub contradicted: Duration,
    /// This standby has not been streaming although a primary is there for this long.
    pub not_streaming: Duration,
}

/// What this look found, to be remembered for the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    pub primary_seen: bool,
    pub contradicted: bool,
    pub streaming: bool,
    /// Streams, and lacks next to nothing of what its primary has.
    pub keeps_up: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// As it should be.
    Nothing,
    /// Write the epoch row that a dead promoter did not write, and open the node.
    FinishPromotion { epoch: Epoch },
    /// SIGINT to the postmaster; the restart decides anew (follow, rewind, clone, park).
    Restart,
    /// Point at this primary.
    Repoint { primary: NodeNumber, epoch: Epoch },
    /// Nobody is primary: run a promotion.
    Elect,
}

#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Healing {
    pub action: Action,
    pub because: String,
    pub findings: Findings,
}

pub fn heal(facts: &Facts) -> Healing {
    match facts.me.role {
        Role::Primary => heal_primary(facts),
        Role::Standby => heal_standby(facts),
    }
}

fn heal_primary(facts: &Facts) -> Healing {
    let (me, others) = (facts.me, facts.others);
    let promised =
        others.serving().filter(|(_, state)| state.system_id == me.system_id).map(|(_, state)| state.promised_epoch).max();
    let contradicted = promised.is_some_and(|promise| promise > me.promised_epoch.max(me.epoch()));
    let is_followed =
        others.serving().any(|(_, state)| state.role == Role::Standby && others.upstream_of(state) == Some(facts.number));
    let findings = Findings { primary_seen: true, contradicted, ..Findings::default() };
    let healing = |action, because: String| Healing { action, because, findings };
    match others.primary_of(me.system_id) {
        Some((number, other)) if other.epoch() > me.epoch() => {
            return healing(
                Action::Restart,
                format!("node {number} is primary of epoch {}, this node's reign {} is over", other.epoch(), me.epoch()),
            );
        }
        // Two promoters can meet so that both finish; the one that nobody follows gives way, no follower ever acknowledged its commits.
        Some((number, other)) if other.epoch() == me.epoch() && !is_followed => {
            return healing(
                Action::Restart,
                format!("node {number} is primary of epoch {} too, and nobody follows this node", me.epoch()),
            );
        }
        Some(_) | None => {}
    }
    if contradicted && facts.memory.contradicted >= CONTRADICTION {
        let promise = promised.unwrap_or(Epoch(0));
        return healing(
            Action::Restart,
            format!(
                "a standby has promised epoch {promise} for {} s: this reign {} gets no acknowledgement from it",
                facts.memory.contradicted.as_secs(),
                me.epoch()
            ),
        );
    }
    if me.promised_epoch > me.epoch() || facts.read_only {
        let epoch = me.promised_epoch.max(me.epoch());
        return healing(Action::FinishPromotion { epoch }, format!("the promotion to epoch {epoch} was not finished"));
    }
    healing(Action::Nothing, format!("primary of epoch {}", me.epoch()))
}

fn heal_standby(facts: &Facts) -> Healing {
    let (me, others) = (facts.me, facts.others);
    let primary = others.primary_of(me.system_id);
    let hears = me.receiver_silent_ms.is_some();
    let is_prefix = primary.is_none_or(|(_, state)| state.contains(&me.history, me.lsn, me.reign));
    // A receiver that has more than its primary, if only the first half of a record, asks for what never comes, and waits.
    let streaming = hears && is_prefix;
    let findings = Findings { primary_seen: primary.is_some() || hears, contradicted: false, streaming, keeps_up: me.keeps_up };
    let healing = |action, because: String| Healing { action, because, findings };
    let Some((number, state)) = primary else {
        let (action, because) = without_primary(facts, streaming);
        return healing(action, because);
    };
    let follows = others.upstream_of(me) == Some(number);
    let waited = facts.memory.not_streaming;
    match (state.epoch() >= me.promised_epoch, follows, is_prefix) {
        (false, _, _) => healing(
            Action::Nothing,
            format!(
                "node {number} is primary of epoch {}, this node promised {}: not followed",
                state.epoch(),
                me.promised_epoch
            ),
        ),
        (true, true, _) if streaming => match me.parameters.shortage(state.parameters) {
            Some(shortage) if !is_a_turn_before(facts, state) => healing(
                Action::Restart,
                format!("follows node {number}, but {shortage}: replay stands still, the restart takes the larger value over"),
            ),
            Some(_) | None => healing(Action::Nothing, format!("follows node {number}")),
        },
        (true, _, _) if !streaming && waited >= CONTRADICTION / 2 && state.wal_from > Some(me.lsn) => healing(
            Action::Restart,
            format!("node {number} no longer has the WAL after {}: the restart copies it, or finds it in the archive", me.lsn),
        ),
        (true, _, false) if !streaming && waited >= CONTRADICTION / 2 => {
            healing(Action::Restart, format!("the data here is no prefix of node {number}'s history: the restart rewinds it"))
        }
        (true, false, true) => healing(
            Action::Repoint { primary: number, epoch: state.own_reign() },
            format!("node {number} is primary of epoch {}", state.epoch()),
        ),
        // It may have no slot there yet.
        (true, true, true) if waited >= CONTRADICTION / 2 && waited < 3 * CONTRADICTION => healing(
            Action::Repoint { primary: number, epoch: state.own_reign() },
            format!("not streaming from node {number} for {} s: registers there again", waited.as_secs()),
        ),
        (true, _, _) if waited >= 3 * CONTRADICTION => healing(
            Action::Restart,
            format!("not streaming from node {number} for {} s: the start decides anew", waited.as_secs()),
        ),
        (true, _, _) => healing(Action::Nothing, format!("not streaming from node {number} yet")),
    }
}

/// One after another: whether a standby of a lower number has to restart for the same reason as this one, or does so now.
fn is_a_turn_before(facts: &Facts, primary: &NodeState) -> bool {
    let mut lower = facts.others.nodes.iter().filter(|(number, _)| *number < facts.number);
    lower.any(|(_, reach)| match reach {
        Reach::Serving(state) => state.role == Role::Standby && state.parameters.shortage(primary.parameters).is_some(),
        Reach::NotYet { .. } => true,
        Reach::Silent { .. } | Reach::Refused { .. } | Reach::Untrusted { .. } | Reach::Waiting(_) => false,
    })
}

/// Whether a standby may be pointed at a primary, as it is at the last moment.
pub fn may_follow(me: &NodeState, primary: NodeNumber, others: &ClusterView) -> Result<(), String> {
    let Some(state) = others.reach(primary).and_then(Reach::serving) else {
        return Err(format!("node {primary} does not answer"));
    };
    if me.role == Role::Primary || me.promised_epoch > state.own_reign() {
        return Err(format!(
            "it promised epoch {} meanwhile, and node {primary} reigns in {}",
            me.promised_epoch,
            state.own_reign()
        ));
    }
    match state.contains(&me.history, me.lsn, me.reign) {
        true => Ok(()),
        false => Err(format!("the data here is no prefix of node {primary}'s history any more")),
    }
}

fn without_primary(facts: &Facts, streaming: bool) -> (Action, String) {
    let waited = facts.memory.without_primary;
    let place = place_in_line(facts);
    let patience = facts.failover_after + STAGGER * place;
    match facts.failover {
        _ if streaming => (Action::Nothing, "streams from a primary that this look did not reach".into()),
        FailoverMode::Manual | FailoverMode::Repmgrd => {
            (Action::Nothing, "no primary; FAILOVER_MODE leaves the promotion to others".into())
        }
        FailoverMode::Auto if facts.me.paused.is_some() => {
            (Action::Nothing, format!("no primary; paused by {}", facts.me.paused.as_deref().unwrap_or_default()))
        }
        FailoverMode::Auto if waited >= patience => (Action::Elect, format!("no primary for {} s", waited.as_secs())),
        FailoverMode::Auto => {
            (Action::Nothing, format!("no primary for {} s, acting after {} s", waited.as_secs(), patience.as_secs()))
        }
    }
}

/// 0 for the best candidate among the standbys that this node sees, itself included.
fn place_in_line(facts: &Facts) -> u32 {
    let order = |number: NodeNumber, state: &NodeState| {
        (Rank { data_epoch: state.epoch(), timeline: state.timeline, lsn: state.lsn }, std::cmp::Reverse(number))
    };
    let mine = order(facts.number, facts.me);
    let ahead = facts.others.serving().filter(|(number, state)| state.role == Role::Standby && order(*number, state) > mine);
    ahead.count() as u32
}

#[cfg(test)]
mod tests;
