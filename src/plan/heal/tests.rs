//! One test per arm of `heal`: pg01 looks at itself and at two others.

use insta::assert_snapshot;

use super::*;
use crate::model::Reach;
use crate::plan::builders::{PG01, PG02, PG03, Seen, not_yet, others, primary, silent, standby, standby_of};

/// What pg01 is, sees and remembers.
struct Scene {
    me: NodeState,
    read_only: bool,
    others: ClusterView,
    failover: FailoverMode,
    memory: Memory,
}

fn pg01(me: Seen, pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> Scene {
    Scene {
        me: me.state(),
        read_only: false,
        others: others(PG01, [pg02.into(), pg03.into()]),
        failover: FailoverMode::Auto,
        memory: Memory::default(),
    }
}

impl Scene {
    fn after(self, memory: Memory) -> Scene {
        Scene { memory, ..self }
    }

    fn without_primary(self, seconds: u64) -> Scene {
        self.after(Memory { without_primary: Duration::from_secs(seconds), ..Memory::default() })
    }

    fn not_streaming(self, seconds: u64) -> Scene {
        self.after(Memory { not_streaming: Duration::from_secs(seconds), ..Memory::default() })
    }

    fn healing(&self) -> Healing {
        self.healing_of(PG01)
    }

    fn healing_of(&self, number: NodeNumber) -> Healing {
        heal(&Facts {
            number,
            me: &self.me,
            read_only: self.read_only,
            others: &self.others,
            failover: self.failover,
            failover_after: Duration::from_secs(10),
            memory: self.memory,
        })
    }

    fn heals(&self) -> String {
        self.heals_as(PG01)
    }

    fn heals_as(&self, number: NodeNumber) -> String {
        let Healing { action, because, .. } = self.healing_of(number);
        format!("{action:?}: {because}")
    }
}

mod a_primary {
    use super::*;

    #[test]
    fn is_left_alone() {
        assert_snapshot!(pg01(primary(), standby_of("pg01"), silent()).heals(), @"Nothing: primary of epoch 1");
    }

    #[test]
    fn gives_way_to_a_later_reign() {
        assert_snapshot!(pg01(primary(), primary().epoch(2), standby_of("pg01")).heals(), @"Restart: node 1 is primary of epoch 2, this node's reign 1 is over");
    }

    #[test]
    fn stays_beside_an_older_reign() {
        assert_snapshot!(pg01(primary().epoch(2), primary(), standby_of("pg01")).heals(), @"Nothing: primary of epoch 2");
    }

    #[test]
    fn of_two_of_one_epoch_gives_way_if_nobody_follows_it() {
        assert_snapshot!(pg01(primary(), primary(), standby_of("pg02")).heals(), @"Restart: node 1 is primary of epoch 1 too, and nobody follows this node");
        // This one is followed.
        assert_snapshot!(pg01(primary(), primary(), standby_of("pg01")).heals(), @"Nothing: primary of epoch 1");
    }

    #[test]
    fn ignores_strangers() {
        let stranger = primary().system(8).epoch(9);
        assert_snapshot!(pg01(primary(), stranger, standby().system(8).promised(9)).heals(), @"Nothing: primary of epoch 1");
    }

    #[test]
    fn gives_way_to_a_promise_that_lasts() {
        let contradicted = || pg01(primary(), standby().promised(2), standby_of("pg01"));
        // At first it goes on.
        assert_snapshot!(contradicted().heals(), @"Nothing: primary of epoch 1");
        assert!(contradicted().healing().findings.contradicted);
        let lasting = Memory { contradicted: CONTRADICTION, ..Memory::default() };
        // Later.
        assert_snapshot!(contradicted().after(lasting).heals(), @"Restart: a standby has promised epoch 2 for 10 s: this reign 1 gets no acknowledgement from it");
    }

    #[test]
    fn finishes_its_promotion() {
        // The row is missing.
        assert_snapshot!(pg01(primary().promised(2), standby_of("pg01").promised(2), silent()).heals(), @"FinishPromotion { epoch: Epoch(2) }: the promotion to epoch 2 was not finished");
        let shut = Scene { read_only: true, ..pg01(primary().epoch(2), standby_of("pg01").epoch(2), silent()) };
        // The row is there, the node is not open yet.
        assert_snapshot!(shut.heals(), @"FinishPromotion { epoch: Epoch(2) }: the promotion to epoch 2 was not finished");
    }
}

mod a_standby {
    use super::*;

    fn streaming() -> Seen {
        standby_of("pg02").heard_ms_ago(5)
    }

    #[test]
    fn that_streams_is_left_alone() {
        assert_snapshot!(pg01(streaming(), primary(), silent()).heals(), @"Nothing: follows node 1");
    }

    #[test]
    fn whose_parameters_are_too_small_restarts_in_its_turn() {
        let raised = || primary().max_connections(400);
        let small = || streaming().max_connections(300);
        assert_snapshot!(pg01(small(), raised(), small()).heals(), @"Restart: follows node 1, but max_connections is 300 here and 400 there: replay stands still, the restart takes the larger value over");
        assert_snapshot!(pg01(streaming().max_connections(500), raised(), small()).heals(), @"Nothing: follows node 1");
        let pg03 = |pg02: Reach| {
            let me = standby_of("pg01").heard_ms_ago(5).max_connections(300).state();
            let scene = Scene { others: others(PG03, [raised().into(), pg02]), me, ..pg01(streaming(), primary(), silent()) };
            scene.heals_as(PG03)
        };
        assert_snapshot!(pg03(standby_of("pg01").max_connections(300).into()), @"Nothing: follows node 0");
        assert_snapshot!(pg03(not_yet()), @"Nothing: follows node 0");
        assert_snapshot!(pg03(standby_of("pg01").max_connections(400).into()), @"Restart: follows node 0, but max_connections is 300 here and 400 there: replay stands still, the restart takes the larger value over");
        assert_snapshot!(pg03(silent()), @"Restart: follows node 0, but max_connections is 300 here and 400 there: replay stands still, the restart takes the larger value over");
    }

    #[test]
    fn of_another_upstream_is_repointed() {
        let promoted = || primary().epoch(2).timeline(2, &[(1, 0x100)]);
        // Frozen.
        assert_snapshot!(pg01(standby(), promoted(), silent()).heals(), @"Repoint { primary: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2");
        // Left behind.
        assert_snapshot!(pg01(standby_of("pg03"), promoted(), silent()).heals(), @"Repoint { primary: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2");
        // Streams from a standby.
        assert_snapshot!(pg01(standby_of("pg03").heard_ms_ago(5), promoted(), standby()).heals(), @"Repoint { primary: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2");
    }

    /// Half a record crossed the end of a segment, and the other half was lost with the old primary.
    #[test]
    fn that_waits_for_wal_beyond_the_fork_restarts() {
        let promoted = || primary().epoch(2).timeline(2, &[(1, 0x80)]);
        let waiting = || streaming().reign(1).at(0x100);
        assert_snapshot!(pg01(waiting(), promoted(), silent()).heals(), @"Nothing: not streaming from node 1 yet");
        assert_snapshot!(pg01(waiting(), promoted(), silent()).not_streaming(5).heals(), @"Restart: the data here is no prefix of node 1's history: the restart rewinds it");
    }

    #[test]
    fn never_follows_an_older_reign() {
        assert_snapshot!(pg01(standby().promised(2), primary(), silent()).not_streaming(60).heals(), @"Nothing: node 1 is primary of epoch 1, this node promised 2: not followed");
    }

    #[test]
    fn with_other_data_restarts_for_a_rewind() {
        let promoted = || primary().epoch(2).timeline(2, &[(1, 0x80)]);
        // At first it waits.
        assert_snapshot!(pg01(standby_of("pg02"), promoted(), silent()).heals(), @"Nothing: not streaming from node 1 yet");
        assert_snapshot!(pg01(standby_of("pg02"), promoted(), silent()).not_streaming(5).heals(), @"Restart: the data here is no prefix of node 1's history: the restart rewinds it");
    }

    #[test]
    fn whose_wal_is_gone_restarts_for_a_copy() {
        let ahead = || primary().at(0x900).wal_from(0x800);
        assert_snapshot!(pg01(standby_of("pg02"), ahead(), silent()).not_streaming(5).heals(), @"Restart: node 1 no longer has the WAL after 0/100: the restart copies it, or finds it in the archive");
        // The segment is still there.
        assert_snapshot!(pg01(standby_of("pg02"), ahead().wal_from(0x100), silent()).not_streaming(5).heals(), @"Repoint { primary: NodeNumber(1), epoch: Epoch(1) }: not streaming from node 1 for 5 s: registers there again");
    }

    #[test]
    fn that_does_not_stream_restarts_in_the_end() {
        assert_snapshot!(pg01(standby_of("pg02"), primary(), silent()).not_streaming(4).heals(), @"Nothing: not streaming from node 1 yet");
        assert_snapshot!(pg01(standby_of("pg02"), primary(), silent()).not_streaming(5).heals(), @"Repoint { primary: NodeNumber(1), epoch: Epoch(1) }: not streaming from node 1 for 5 s: registers there again");
        // Later.
        assert_snapshot!(pg01(standby_of("pg02"), primary(), silent()).not_streaming(30).heals(), @"Restart: not streaming from node 1 for 30 s: the start decides anew");
    }

    #[test]
    fn does_not_take_a_stranger_for_its_primary() {
        assert_snapshot!(pg01(standby_of("pg02"), primary().system(8), silent()).heals(), @"Nothing: no primary for 0 s, acting after 10 s");
    }
}

mod nobody_is_primary {
    use super::*;

    fn alone(pg02: impl Into<Reach>) -> Scene {
        pg01(standby_of("pg03"), pg02, silent())
    }

    #[test]
    fn a_receiver_that_streams_sees_more_than_this_look() {
        let streaming = pg01(standby_of("pg03").heard_ms_ago(5), standby(), silent()).without_primary(60);
        assert_snapshot!(streaming.heals(), @"Nothing: streams from a primary that this look did not reach");
        assert!(streaming.healing().findings.primary_seen);
    }

    #[test]
    fn the_best_candidate_elects_after_its_patience() {
        assert_snapshot!(alone(standby()).without_primary(9).heals(), @"Nothing: no primary for 9 s, acting after 10 s");
        // Later.
        assert_snapshot!(alone(standby()).without_primary(10).heals(), @"Elect: no primary for 10 s");
        assert!(!alone(standby()).healing().findings.primary_seen);
    }

    #[test]
    fn whoever_is_behind_waits_for_the_better_one() {
        assert_snapshot!(alone(standby().at(0x101)).without_primary(14).heals(), @"Nothing: no primary for 14 s, acting after 15 s");
        // Later.
        assert_snapshot!(alone(standby().at(0x101)).without_primary(15).heals(), @"Elect: no primary for 15 s");
    }

    #[test]
    fn an_operator_may_forbid_it() {
        assert_snapshot!(pg01(standby_of("pg03").paused(), standby(), silent()).without_primary(60).heals(), @"Nothing: no primary; paused by anna, since 10:00: maintenance");
    }

    #[test]
    fn failover_mode_may_leave_it_to_others() {
        let manual = |failover| Scene { failover, ..alone(standby()).without_primary(60) };
        assert_snapshot!(manual(FailoverMode::Manual).heals(), @"Nothing: no primary; FAILOVER_MODE leaves the promotion to others");
        assert_eq!(manual(FailoverMode::Repmgrd).heals(), manual(FailoverMode::Manual).heals());
    }
}

#[test]
fn at_the_last_moment_it_is_compared_again() {
    let of = |me: Seen, pg02: Reach| may_follow(&me.state(), PG02, &others(PG01, [pg02, silent()]));
    let promoted = || primary().epoch(2).timeline(2, &[(1, 0x100)]).into();
    assert_eq!(of(standby(), promoted()), Ok(()));
    assert_snapshot!(of(standby().promised(3), promoted()).unwrap_err(), @"it promised epoch 3 meanwhile, and node 1 reigns in 2");
    assert_snapshot!(of(standby().at(0x101), promoted()).unwrap_err(), @"the data here is no prefix of node 1's history any more");
    assert_snapshot!(of(standby(), silent()).unwrap_err(), @"node 1 does not answer");
}

#[test]
fn findings_are_for_the_next_look() {
    let of = |me, pg02: Reach| pg01(me, pg02, silent()).healing().findings;
    let seen = Findings { primary_seen: true, ..Findings::default() };
    assert_eq!(of(primary(), silent()), seen);
    assert_eq!(of(standby(), primary().into()), seen);
    assert_eq!(of(standby_of("pg02").heard_ms_ago(5), primary().into()), Findings { streaming: true, ..seen });
    assert_eq!(of(standby_of("pg02").keeps_up(), primary().into()), Findings { streaming: true, keeps_up: true, ..seen });
    assert_eq!(of(standby(), silent()), Findings::default());
}
