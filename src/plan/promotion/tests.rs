//! One test per arm of `need`, `electorate`, `enough`, `next_epoch` and `candidate`.

use insta::assert_snapshot;

use super::*;
use crate::model::{Epoch, Lsn, Timeline};
use crate::plan::builders::{
    PG01, PG02, PG03, Seen, empty, not_yet, primary, refused, silent, standby, standby_of, untrusted, view, waiting,
};

mod who_is_not_waited_for {
    use super::*;

    fn is_enough(reaches: Vec<Reach>, asker: Asker) -> bool {
        let numbers = [PG01, PG02, PG03].into_iter();
        let known = ClusterView { nodes: numbers.zip(reaches).collect(), ..view([silent(), silent(), silent()]) };
        knows_enough(&known, Quorum::of(3, true), asker)
    }

    #[test]
    fn whoever_is_silent_while_enough_standbys_can_be_frozen() {
        assert!(!is_enough(vec![silent(), standby().into()], Asker::Machine));
        assert!(is_enough(vec![silent(), standby().into(), standby().into()], Asker::Machine));
        assert!(!is_enough(vec![silent(), standby().into(), standby().into()], Asker::Forced), "the third may hold more");
    }

    #[test]
    fn whoever_is_silent_beside_a_primary_that_nobody_left() {
        assert!(is_enough(vec![primary().into()], Asker::Machine));
        assert!(!is_enough(vec![primary().into(), standby().promised(2).into()], Asker::Machine));
        assert!(!is_enough(vec![primary().promised(2).into()], Asker::Machine), "its reign is not finished");
    }
}

mod is_there_a_need {
    use super::*;

    /// A promoter that has been asking for 100 ms sees pg01, pg02 and pg03.
    fn asked(pg01: impl Into<Reach>, pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> String {
        match need(&view([pg01.into(), pg02.into(), pg03.into()]), 100) {
            Need::None { primary, because } => format!("None ({primary}): {because}"),
            Need::Finish { primary, epoch } => format!("Finish ({primary}, epoch {epoch})"),
            Need::Lives { because } => format!("Lives: {because}"),
            Need::Unclear { because } => format!("Unclear: {because}"),
            Need::Promote { because } => format!("Promote: {because}"),
        }
    }

    #[test]
    fn not_beside_a_primary() {
        assert_snapshot!(asked(primary(), standby_of("pg01"), silent()), @"None (0): node 0 is primary of epoch 1");
        // Of two, the one of the higher epoch counts.
        assert_snapshot!(asked(primary(), primary().epoch(2), silent()), @"None (1): node 1 is primary of epoch 2");
    }

    #[test]
    fn a_primary_without_the_row_of_its_reign_is_finished() {
        assert_snapshot!(asked(silent(), primary().promised(2), standby_of("pg02").promised(2)), @"Finish (1, epoch 2)");
        // Beside the old primary.
        assert_snapshot!(asked(primary(), primary().promised(2).timeline(2, &[(1, 0x100)]), silent()), @"Finish (1, epoch 2)");
    }

    #[test]
    fn a_primary_that_others_promised_to_leave_is_left_to_its_health_check() {
        assert_snapshot!(asked(primary(), standby().promised(2), silent()), @"Lives: node 0 is primary of epoch 1, though epoch 2 was promised: its own health check ends it");
        // The promise of a node in its entrypoint.
        assert_snapshot!(asked(primary(), waiting(2), silent()), @"Lives: node 0 is primary of epoch 1, though epoch 2 was promised: its own health check ends it");
        // Its own promotion was overtaken.
        assert_snapshot!(asked(silent(), primary().promised(2), standby().promised(3)), @"Lives: node 1 is primary of epoch 1, though epoch 3 was promised: its own health check ends it");
    }

    #[test]
    fn a_writable_stranger_is_no_primary_and_no_reason_to_wait_for() {
        let stranger = || primary().system(8).epoch(9);
        assert_snapshot!(asked(stranger(), standby_of("pg01"), standby_of("pg01")), @"Promote: nobody is primary, and no standby hears from one");
        assert_snapshot!(asked(stranger(), primary(), standby_of("pg02")), @"None (1): node 1 is primary of epoch 1");
        assert_snapshot!(asked(stranger(), standby_of("pg01"), silent()), @"Unclear: servers of several systems answer, and none of these has more than another");
    }

    #[test]
    fn whoever_refuses_lives() {
        assert_snapshot!(asked(refused(), standby_of("pg01"), standby_of("pg01")), @"Lives: node 0 answers, if only: sorry, too many clients already");
    }

    #[test]
    fn whose_certificate_is_wrong_lives_if_the_standbys_follow_it() {
        assert_snapshot!(asked(untrusted(), standby_of("pg01"), silent()), @"Lives: node 0, which the standbys follow, answers, and cannot be believed: the certificate CN=x was signed by CN=y");
        // A standby's wrong certificate forbids nothing.
        assert_snapshot!(asked(silent(), standby_of("pg01"), untrusted()), @"Promote: nobody is primary, and no standby hears from one");
        assert_snapshot!(asked(primary(), standby_of("pg01"), untrusted()), @"None (0): node 0 is primary of epoch 1");
    }

    #[test]
    fn a_server_that_starts_or_stops_does_not() {
        assert_snapshot!(asked(not_yet(), standby_of("pg01"), standby_of("pg01")), @"Promote: nobody is primary, and no standby hears from one");
    }

    #[test]
    fn a_message_after_the_alarm_is_a_sign_of_life() {
        assert_snapshot!(asked(silent(), standby_of("pg01").heard_ms_ago(2500), standby_of("pg01").heard_ms_ago(99)), @"Lives: node 2 heard from the primary 99 ms ago, after the alarm");
    }

    #[test]
    fn a_message_shortly_before_it_may_be_one() {
        assert_snapshot!(asked(silent(), standby_of("pg01"), standby_of("pg01").heard_ms_ago(100)), @"Unclear: node 2 heard from the primary 100 ms ago");
        // At most 3 s.
        assert_snapshot!(asked(silent(), standby_of("pg01"), standby_of("pg01").heard_ms_ago(SIGN_OF_LIFE_MS - 1)), @"Unclear: node 2 heard from the primary 2999 ms ago");
    }

    #[test]
    fn silence_is_none() {
        assert_snapshot!(asked(silent(), standby_of("pg01"), standby_of("pg01").heard_ms_ago(SIGN_OF_LIFE_MS)), @"Promote: nobody is primary, and no standby hears from one");
    }

    #[test]
    fn a_receiver_that_stands_still_is_no_sign() {
        assert_snapshot!(asked(silent(), standby_of("pg01"), empty()), @"Promote: nobody is primary, and no standby hears from one");
    }

    #[test]
    fn what_streams_from_a_standby_says_nothing_of_a_primary() {
        assert_snapshot!(asked(silent(), standby().promised(2), standby_of("pg02").promised(2).heard_ms_ago(5)), @"Promote: nobody is primary, and no standby hears from one");
    }
}

mod is_there_one_still {
    use super::*;

    /// A look found pg01 silent, and both standbys without a receiver. These were read again under their locks.
    fn after(locked: &[(NodeNumber, Seen)]) -> String {
        let seen = view([silent(), standby_of("pg01").into(), standby_of("pg01").into()]);
        let states: Vec<_> = locked.iter().map(|(number, seen)| (*number, seen.clone().state())).collect();
        match still_needed(&seen, states.iter().map(|(number, state)| (*number, state))) {
            Ok(()) => "needed".into(),
            Err(because) => because,
        }
    }

    #[test]
    fn while_all_is_as_it_was() {
        assert_eq!(after(&[(PG02, standby_of("pg01")), (PG03, standby_of("pg01"))]), "needed");
        assert_eq!(after(&[(PG02, standby_of("pg01").heard_ms_ago(SIGN_OF_LIFE_MS))]), "needed");
    }

    #[test]
    fn not_beside_a_primary_that_came_back_since_the_look() {
        let back = standby_of("pg01").heard_ms_ago(5);
        assert_snapshot!(after(&[(PG02, standby_of("pg01")), (PG03, back)]), @"node 2 heard from the primary 5 ms ago");
        assert_snapshot!(after(&[(PG02, primary().epoch(2))]), @"node 1 is primary of epoch 2");
        assert_snapshot!(after(&[(PG02, primary().promised(2))]), @"node 1 was promoted meanwhile");
    }

    #[test]
    fn where_only_a_standby_that_nobody_locked_is_heard() {
        assert_eq!(after(&[(PG02, standby_of("pg03").heard_ms_ago(5))]), "needed");
    }
}

mod who_is_asked {
    use super::*;

    fn members<const N: usize>(reaches: [Reach; N]) -> String {
        match electorate(&view(reaches), Quorum::of(N, true), Asker::Machine) {
            Ok(numbers) => numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            Err(because) => format!("nobody: {because}"),
        }
    }

    #[test]
    fn every_standby_in_node_order() {
        assert_eq!(members([standby_of("pg02").into(), silent(), standby().into()]), "0 2");
        let mut unordered = view([silent(), standby().into(), standby().into()]);
        unordered.nodes.reverse();
        assert_eq!(electorate(&unordered, Quorum::of(3, true), Asker::Machine), Ok(vec![PG02, PG03]));
    }

    #[test]
    fn no_primary_and_nobody_without_a_server() {
        assert_snapshot!(members([primary().into(), waiting(1), not_yet()]), @"nobody: no standby answers");
    }

    #[test]
    fn enough_for_the_quorum() {
        // One of three.
        assert_snapshot!(members([silent(), standby_of("pg01").into(), waiting(1)]), @"nobody: 1 of 3 nodes are standbys that can be frozen, 2 are needed");
        // Two of four.
        assert_snapshot!(members([silent(), standby_of("pg01").into(), standby_of("pg01").into(), silent()]), @"nobody: 2 of 4 nodes are standbys that can be frozen, 3 are needed");
    }

    #[test]
    fn strangers_are_left_out() {
        let stranger = || standby().system(8).into();
        assert_eq!(members([stranger(), standby().into(), standby().into()]), "1 2");
        assert_eq!(members([stranger(), stranger(), standby().into()]), "0 1");
        assert_snapshot!(members([stranger(), standby().into(), silent()]), @"nobody: 1 of 3 nodes are standbys that can be frozen, 2 are needed");
    }

    #[test]
    fn one_of_two_suffices_if_it_has_an_upstream() {
        assert_eq!(members([silent(), standby_of("pg01").into()]), "1");
        assert_eq!(members([standby().into(), standby().into()]), "0 1");
    }

    #[test]
    fn one_of_two_without_an_upstream_does_not() {
        assert_eq!(members([empty(), standby().into()]), "1", "but nobody else holds anything");
        assert_snapshot!(members([waiting(1), standby().into()]), @"nobody: node 1 is alone and has no upstream: with two nodes it may have missed the last reign");
        assert_snapshot!(members([silent(), standby().into()]), @"nobody: node 1 is alone and has no upstream: with two nodes it may have missed the last reign");
    }
}

#[test]
fn enough_is_the_quorum_and_no_less() {
    for (nodes, promotion) in [(2, 1), (3, 2), (4, 3), (5, 3)] {
        assert!(enough(promotion, Quorum::of(nodes, true)).is_ok(), "{nodes} nodes");
        assert!(enough(promotion - 1, Quorum::of(nodes, true)).is_err(), "{nodes} nodes");
    }
}

#[test]
fn the_new_epoch_is_above_every_promise_and_every_reign() {
    let next = |states: &[Seen]| next_epoch(states.iter().map(|seen| seen.clone().state()).collect::<Vec<_>>().iter());
    assert_eq!(next(&[]), Epoch(1));
    assert_eq!(next(&[standby(), standby().promised(4)]), Epoch(5));
    assert_eq!(next(&[standby(), standby().data_epoch(6)]), Epoch(7));
}

mod who_wins {
    use super::*;

    /// Fit and recent, with data of reign 1 on timeline 1.
    fn frozen(number: NodeNumber, lsn: u64) -> Frozen {
        let rank = Rank { data_epoch: Epoch(1), timeline: Timeline(1), lsn: Lsn(lsn) };
        Frozen { number, rank, state: standby().state(), fitness: Fitness::Fit, recent: true }
    }

    fn chosen(frozen: &[Frozen], asker: Asker, acks: usize) -> String {
        preferring(None, frozen, asker, acks)
    }

    fn preferring(preferred: Option<NodeNumber>, frozen: &[Frozen], asker: Asker, acks: usize) -> String {
        match candidate(frozen, asker, preferred, Quorum { acks, ..Quorum::of(3, true) }) {
            Ok(number) => format!("node {number}"),
            Err(because) => format!("nobody: {because}"),
        }
    }

    /// By a machine, with synchronous replication.
    fn wins(nodes: &[Frozen]) -> String {
        chosen(nodes, Asker::Machine, 1)
    }

    #[test]
    fn whoever_received_most() {
        assert_eq!(wins(&[frozen(PG02, 0x100), frozen(PG03, 0x101)]), "node 2");
    }

    #[test]
    fn a_later_timeline_and_before_that_a_later_reign() {
        let rank = |epoch, timeline, lsn| Rank { data_epoch: Epoch(epoch), timeline: Timeline(timeline), lsn: Lsn(lsn) };
        let at = |number, rank| Frozen { rank, ..frozen(number, 0) };
        assert_eq!(wins(&[at(PG01, rank(1, 1, 9)), at(PG02, rank(1, 2, 5))]), "node 1");
        assert_eq!(wins(&[at(PG01, rank(1, 3, 9)), at(PG02, rank(2, 2, 5))]), "node 1");
    }

    #[test]
    fn ties_go_to_the_lowest_number() {
        assert_eq!(wins(&[frozen(PG03, 0x100), frozen(PG02, 0x100)]), "node 1");
    }

    #[test]
    fn a_preference_decides_among_equals_only() {
        for asker in [Asker::Machine, Asker::Person, Asker::Forced] {
            assert_eq!(preferring(Some(PG03), &[frozen(PG02, 0x100), frozen(PG03, 0x100)], asker, 1), "node 2");
            assert_eq!(preferring(Some(PG03), &[frozen(PG02, 0x101), frozen(PG03, 0x100)], asker, 1), "node 1");
            assert_eq!(chosen(&[frozen(PG02, 0x100), frozen(PG03, 0x100)], asker, 1), "node 1");
        }
    }

    #[test]
    fn nobody_who_may_not() {
        let disallowed = Frozen { fitness: Fitness::Disallowed, ..frozen(PG02, 0x100) };
        let paused = Frozen { fitness: Fitness::Paused, ..frozen(PG03, 0x100) };
        assert_eq!(wins(&[disallowed.clone(), frozen(PG03, 0x100)]), "node 2");
        assert_eq!(wins(&[frozen(PG02, 0x100), paused.clone()]), "node 1");
        assert_snapshot!(wins(&[disallowed, paused]), @"nobody: no standby may be promoted: each is DISALLOW_TO_FAILOVER or paused by too small parameters");
    }

    #[test]
    fn nobody_while_one_who_may_not_holds_more() {
        let disallowed = Frozen { fitness: Fitness::Disallowed, ..frozen(PG02, 0x101) };
        let paused = Frozen { fitness: Fitness::Paused, ..frozen(PG03, 0x101) };
        assert_snapshot!(wins(&[disallowed, frozen(PG03, 0x100)]), @"nobody: node 1 holds more than node 2, and may not be promoted (Disallowed): commits could be lost");
        assert_snapshot!(wins(&[frozen(PG02, 0x100), paused]), @"nobody: node 2 holds more than node 1, and may not be promoted (Paused): commits could be lost");
    }

    #[test]
    fn nobody_without_standbys() {
        assert_snapshot!(wins(&[]), @"nobody: no standby is frozen");
    }

    #[test]
    fn no_stale_standby_by_itself_where_nobody_acknowledged() {
        let stale = Frozen { recent: false, ..frozen(PG02, 0x100) };
        assert_snapshot!(chosen(std::slice::from_ref(&stale), Asker::Machine, 0), @"nobody: node 1 had not heard from the primary for more than 60 s before its end: without synchronous replication it may lack much; pgcluster promote --because TEXT decides");
        assert_eq!(chosen(std::slice::from_ref(&stale), Asker::Machine, 1), "node 1");
        assert_eq!(chosen(std::slice::from_ref(&stale), Asker::Person, 0), "node 1");
        let all = [PG01, PG02, PG03].map(|number| Frozen { number, ..stale.clone() });
        assert_eq!(chosen(&all, Asker::Machine, 0), "node 0", "nobody is missing who could have more");
    }

    #[test]
    fn nobody_is_frozen_in_vain_where_nobody_acknowledged() {
        let knows = |states: &[Seen], asker, sync| {
            let states: Vec<NodeState> = states.iter().map(|seen| seen.clone().state()).collect();
            may_know_all(states.iter(), asker, Quorum::of(2, sync)).map_or_else(|because| because, |()| "yes".into())
        };
        assert_snapshot!(knows(&[standby()], Asker::Machine, false), @"none of 1 standbys had heard from the primary in the 60 s before its end: without synchronous replication they may lack much; pgcluster promote --because TEXT decides");
        assert_eq!(knows(&[standby()], Asker::Machine, true), "yes");
        assert_eq!(knows(&[standby()], Asker::Person, false), "yes");
        assert_eq!(knows(&[standby(), standby()], Asker::Machine, false), "yes", "both are here");
    }

    #[test]
    fn who_holds_other_data_is_not_pointed_at_the_winner() {
        let rank = |timeline, lsn| Rank { data_epoch: Epoch(1), timeline: Timeline(timeline), lsn: Lsn(lsn) };
        let winner_state = standby().data_epoch(2).reign(2).timeline(2, &[(1, 0x100)]).state();
        let winner = Frozen { rank: rank(2, 0x200), state: winner_state.clone(), ..frozen(PG01, 0) };
        let behind = frozen(PG02, 0x100);
        let past_the_fork = frozen(PG02, 0x101);
        let elsewhere = standby().timeline(2, &[(1, 0x80)]).state();
        let elsewhere = Frozen { rank: rank(2, 0x180), state: elsewhere, ..frozen(PG02, 0) };
        let twin = NodeState { reign: Epoch(3), ..winner_state };
        let twin = Frozen { rank: rank(2, 0x180), state: twin, ..frozen(PG02, 0) };
        assert_eq!(followers(&[winner.clone(), behind], PG01), [PG02]);
        assert_eq!(followers(&[winner.clone(), past_the_fork], PG01), []);
        assert_eq!(followers(&[winner.clone(), elsewhere], PG01), []);
        assert_eq!(followers(&[winner, twin], PG01), []);
    }
}
