//! Whether the primary may be changed on purpose now, to whom, and why: over facts that were just read.
//!
//! A switchover interrupts writes for a moment, so whatever would make the moment long, or end somebody's work, is a refusal.

use crate::model::{ClusterView, NodeNumber, NodeState, Quorum, Readiness, Role};
use crate::spec::{BackendFlag, Node};

#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub view: &'a ClusterView,
    pub nodes: &'a [Node],
    pub quorum: Quorum,
    /// Whom the operator names; else the best one.
    pub wanted: Option<NodeNumber>,
    pub readiness: &'a Readiness,
}

/// A promotion replays what was received first: more than a segment makes the moment long.
const MOST_UNREPLAYED: u64 = 16 << 20;

#[derive(Clone, Debug, PartialEq)]
#[must_use = "a plan that nobody shows or carries out is a bug"]
pub struct Plan {
    pub from: NodeNumber,
    pub to: NodeNumber,
    /// The standbys that are locked and asked for the promise, the target included.
    pub voters: Vec<NodeNumber>,
    pub because: String,
    pub warnings: Vec<String>,
}

/// Refusals say what to do.
pub fn switchover(facts: &Facts) -> Result<Plan, String> {
    let Some((from, primary)) = facts.view.primary() else {
        return Err("nobody is primary: there is nothing to hand over; pgcluster promote --because TEXT makes one".into());
    };
    let promised = facts.view.highest_promise();
    if promised > primary.own_reign() {
        return Err(format!("a promotion to epoch {promised} is under way: wait until pgcluster status is calm"));
    }
    let base_backups = facts.readiness.base_backups;
    if base_backups > 0 {
        return Err(format!(
            "{base_backups} base backup(s) or copies read from node {from}, and its stop would end them: wait for them"
        ));
    }
    let voters: Vec<NodeNumber> =
        facts.view.serving().filter(|(_, state)| streams_from(state, from, facts.view)).map(|(number, _)| number).collect();
    if voters.len() < facts.quorum.promotion {
        return Err(format!(
            "{} of {} standbys stream from node {from}, and a promotion needs {}: bring the others back first",
            voters.len(),
            facts.quorum.nodes - 1,
            facts.quorum.promotion
        ));
    }
    let to = target(facts, from, &voters)?;
    let lag = facts.view.reach(to).and_then(|reach| reach.serving()).map_or(0, |state| primary.lsn.0.saturating_sub(state.lsn.0));
    let paused = facts.view.paused().map(|who| {
        format!("automatic failover is paused by {who}: if this command dies half-way, nobody promotes but pgcluster promote")
    });
    Ok(Plan {
        from,
        to,
        voters,
        because: format!("node {to} streams from node {from} and lacks {lag} bytes"),
        warnings: paused.into_iter().collect(),
    })
}

fn target(facts: &Facts, from: NodeNumber, voters: &[NodeNumber]) -> Result<NodeNumber, String> {
    let Some(wanted) = facts.wanted else {
        let fit = voters.iter().copied().filter(|number| unfit(facts, from, *number).is_none());
        let position = |number: &NodeNumber| {
            let lsn = facts.view.reach(*number).and_then(|reach| reach.serving()).map(|state| state.lsn);
            (lsn, std::cmp::Reverse(*number))
        };
        return fit.max_by_key(position).ok_or_else(|| "no standby may take over: each lags, or is DISALLOW_TO_FAILOVER".into());
    };
    match unfit(facts, from, wanted) {
        None => Ok(wanted),
        Some(reason) => Err(reason),
    }
}

/// Why this node cannot take over now.
fn unfit(facts: &Facts, from: NodeNumber, number: NodeNumber) -> Option<String> {
    if number == from {
        return Some(format!("node {number} is the primary already"));
    }
    let Some(state) = facts.view.reach(number).and_then(|reach| reach.serving()) else {
        return Some(format!("node {number} does not serve: pgcluster status says why"));
    };
    let flag = facts.nodes.iter().find(|node| node.number == number).map(|node| node.flag);
    match (streams_from(state, from, facts.view), state.keeps_up, flag) {
        (false, _, _) => Some(format!("node {number} does not stream from node {from}")),
        (true, false, _) => Some(format!("node {number} lags by more than one WAL segment: wait until it has caught up")),
        (true, true, Some(BackendFlag::DisallowToFailover)) => {
            Some(format!("node {number} is DISALLOW_TO_FAILOVER in PG_BACKEND_NODE_LIST"))
        }
        (true, true, Some(BackendFlag::AllowToFailover) | None) => unready(facts, number),
    }
}

/// Why a standby that is in step cannot take over all the same: by what its primary says of it, and what it has for its own followers.
fn unready(facts: &Facts, number: NodeNumber) -> Option<String> {
    let name = facts.nodes.iter().find(|node| node.number == number).map(|node| node.name.as_str());
    let row = facts.readiness.receivers.iter().find(|row| Some(row.name.as_str()) == name && row.state == "streaming");
    let (Some(row), Some(standby)) = (row, facts.readiness.standby(number)) else {
        return Some(format!("the primary does not count node {number} among those who stream"));
    };
    let counts = facts.quorum.acks == 0 || ["quorum", "sync"].contains(&row.sync_state.as_str());
    let followers = facts.quorum.nodes as i64 - 1;
    match (counts, standby.replay_paused, standby.unreplayed_bytes) {
        (false, _, _) => {
            return Some(format!("no commit waits for node {number}, which is {} there: it may lack some", row.sync_state));
        }
        (true, true, _) => return Some(format!("replay is paused on node {number}: SELECT pg_wal_replay_resume() there")),
        (true, false, bytes) if bytes > MOST_UNREPLAYED => {
            return Some(format!("node {number} has {bytes} bytes to replay first: wait until it has"));
        }
        (true, false, _) => {}
    }
    match (standby.slots < followers, standby.senders < followers) {
        (true, _) => Some(format!(
            "node {number} has replication slots for {} of {followers} followers: drop some there, or raise max_replication_slots",
            standby.slots.max(0)
        )),
        (false, true) => Some(format!(
            "node {number} has WAL senders for {} of {followers} followers: raise max_wal_senders",
            standby.senders.max(0)
        )),
        (false, false) => None,
    }
}

fn streams_from(state: &NodeState, upstream: NodeNumber, view: &ClusterView) -> bool {
    let named = view.upstream_of(state);
    state.role == Role::Standby && state.receiver_silent_ms.is_some() && named == Some(upstream)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use insta::assert_snapshot;

    use super::*;
    use crate::model::{NodeName, Reach, Receiver, Successor};
    use crate::plan::builders::{PG01, PG02, PG03, Seen, primary, silent, standby, standby_of, view};

    fn follower() -> Seen {
        standby_of("pg01").keeps_up()
    }

    /// pg01's receivers count, and both standbys have room for two followers.
    fn ready() -> Readiness {
        let row = |name: &str| Receiver {
            name: name.into(),
            state: "streaming".into(),
            sync_state: "quorum".into(),
            replay_lag_s: None,
        };
        let room = Successor { slots: 2, senders: 2, unreplayed_bytes: 0, replay_paused: false };
        Readiness { base_backups: 0, receivers: vec![row("pg02"), row("pg03")], standbys: vec![(PG02, room), (PG03, room)] }
    }

    fn decides(reaches: [Reach; 3], change: impl Fn(&mut Facts)) -> String {
        decides_with(reaches, &ready(), change)
    }

    fn decides_with(reaches: [Reach; 3], readiness: &Readiness, change: impl Fn(&mut Facts)) -> String {
        let view = view(reaches);
        let node = |number: NodeNumber| Node {
            number,
            name: NodeName(format!("pg{:02}", number.0 + 1)),
            host: format!("pg{:02}", number.0 + 1),
            port: 5432,
            weight: 1.0,
            data_dir: PathBuf::from("/u01/pg17/data"),
            flag: if number == PG03 { BackendFlag::DisallowToFailover } else { BackendFlag::AllowToFailover },
        };
        let nodes = [node(PG01), node(PG02), node(PG03)];
        let mut facts = Facts { view: &view, nodes: &nodes, quorum: Quorum::of(3, true), wanted: None, readiness };
        change(&mut facts);
        match switchover(&facts) {
            Ok(Plan { from, to, voters, because, warnings }) => {
                let warnings: String = warnings.iter().map(|warning| format!("; ! {warning}")).collect();
                format!("{from} → {to}, voters {voters:?}: {because}{warnings}")
            }
            Err(reason) => format!("refused: {reason}"),
        }
    }

    fn healthy() -> [Reach; 3] {
        [primary().into(), follower().into(), follower().into()]
    }

    #[test]
    fn a_healthy_cluster_hands_over_to_the_one_that_holds_the_most_and_may() {
        assert_snapshot!(decides(healthy(), |_| ()), @"0 → 1, voters [NodeNumber(1), NodeNumber(2)]: node 1 streams from node 0 and lacks 0 bytes");
    }

    #[test]
    fn whom_the_operator_names_must_be_fit() {
        assert_snapshot!(decides(healthy(), |facts| facts.wanted = Some(PG02)), @"0 → 1, voters [NodeNumber(1), NodeNumber(2)]: node 1 streams from node 0 and lacks 0 bytes");
        assert_snapshot!(decides(healthy(), |facts| facts.wanted = Some(PG01)), @"refused: node 0 is the primary already");
        assert_snapshot!(decides(healthy(), |facts| facts.wanted = Some(PG03)), @"refused: node 2 is DISALLOW_TO_FAILOVER in PG_BACKEND_NODE_LIST");
        let lagging = [primary().into(), standby_of("pg01").heard_ms_ago(5).into(), follower().into()];
        assert_snapshot!(decides(lagging, |facts| facts.wanted = Some(PG02)), @"refused: node 1 lags by more than one WAL segment: wait until it has caught up");
    }

    #[test]
    fn nobody_is_chosen_who_is_unfit() {
        let lagging = [primary().into(), standby_of("pg01").heard_ms_ago(5).into(), follower().into()];
        assert_snapshot!(decides(lagging, |_| ()), @"refused: no standby may take over: each lags, or is DISALLOW_TO_FAILOVER");
    }

    #[test]
    fn too_few_standbys_would_leave_the_cluster_without_a_primary() {
        assert_snapshot!(decides([primary().into(), follower().into(), silent()], |_| ()), @"refused: 1 of 2 standbys stream from node 0, and a promotion needs 2: bring the others back first");
        assert_snapshot!(decides([primary().into(), follower().into(), standby().into()], |_| ()), @"refused: 1 of 2 standbys stream from node 0, and a promotion needs 2: bring the others back first");
    }

    #[test]
    fn somebody_else_is_at_it() {
        let promised = [primary().into(), follower().promised(2).into(), follower().into()];
        assert_snapshot!(decides(promised, |_| ()), @"refused: a promotion to epoch 2 is under way: wait until pgcluster status is calm");
        assert_snapshot!(decides([silent(), follower().into(), follower().into()], |_| ()), @"refused: nobody is primary: there is nothing to hand over; pgcluster promote --because TEXT makes one");
        let copied = Readiness { base_backups: 1, ..ready() };
        assert_snapshot!(decides_with(healthy(), &copied, |_| ()), @"refused: 1 base backup(s) or copies read from node 0, and its stop would end them: wait for them");
    }

    /// pg02 is wanted, and this is changed about it.
    fn wanted_but(change: impl Fn(&mut Receiver, &mut Successor)) -> String {
        let mut readiness = ready();
        change(&mut readiness.receivers[0], &mut readiness.standbys[0].1);
        decides_with(healthy(), &readiness, |facts| facts.wanted = Some(PG02))
    }

    #[test]
    fn who_takes_over_must_hold_every_commit_and_have_replayed_it() {
        assert_snapshot!(wanted_but(|row, _| row.sync_state = "async".into()), @"refused: no commit waits for node 1, which is async there: it may lack some");
        assert_snapshot!(wanted_but(|row, _| row.state = "catchup".into()), @"refused: the primary does not count node 1 among those who stream");
        assert_snapshot!(wanted_but(|_, room| room.replay_paused = true), @"refused: replay is paused on node 1: SELECT pg_wal_replay_resume() there");
        assert_snapshot!(wanted_but(|_, room| room.unreplayed_bytes = (16 << 20) + 1), @"refused: node 1 has 16777217 bytes to replay first: wait until it has");
        let async_row = {
            let mut readiness = ready();
            readiness.receivers[0].sync_state = "async".into();
            readiness
        };
        assert_snapshot!(decides_with(healthy(), &async_row, |facts| facts.quorum = Quorum::of(3, false)), @"0 → 1, voters [NodeNumber(1), NodeNumber(2)]: node 1 streams from node 0 and lacks 0 bytes");
    }

    #[test]
    fn who_takes_over_must_have_room_for_followers() {
        assert_snapshot!(wanted_but(|_, room| room.slots = 1), @"refused: node 1 has replication slots for 1 of 2 followers: drop some there, or raise max_replication_slots");
        assert_snapshot!(wanted_but(|_, room| room.senders = 0), @"refused: node 1 has WAL senders for 0 of 2 followers: raise max_wal_senders");
    }

    #[test]
    fn a_pause_is_told() {
        let paused = [primary().paused().into(), follower().into(), follower().into()];
        assert_snapshot!(decides(paused, |_| ()), @"0 → 1, voters [NodeNumber(1), NodeNumber(2)]: node 1 streams from node 0 and lacks 0 bytes; ! automatic failover is paused by anna, since 10:00: maintenance: if this command dies half-way, nobody promotes but pgcluster promote");
    }
}
