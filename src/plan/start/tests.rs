//! One test per row of the table in the design, "Start of a postgres node"; each shows verdict and reason.

use insta::assert_snapshot;

use super::*;
use crate::plan::builders::{
    Own, PG01, PG02, empty, not_yet, others, primary, refused, silent, standby, standby_of, untrusted, waiting, was_primary,
    was_standby_of,
};

/// What pg01 of three synchronous nodes has, sees and knows.
struct Scene {
    me: Me,
    own: OwnData,
    others: ClusterView,
    waited: Duration,
    order: Order,
}

/// pg01 sees pg02 and pg03 as given, at its first look.
fn pg01(own: impl Into<OwnData>, pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> Scene {
    let quorum = Quorum::of(3, true);
    let me =
        Me { number: PG01, name: NodeName("pg01".into()), host: "pg01".into(), quorum, bootstrap: PG01, archive: Archive::None };
    let others = others(PG01, [pg02.into(), pg03.into()]);
    Scene { me, own: own.into(), others, waited: Duration::ZERO, order: Order::None }
}

impl Scene {
    fn waited(self, waited: Duration) -> Scene {
        Scene { waited, ..self }
    }

    fn bootstrap_is(mut self, number: NodeNumber) -> Scene {
        self.me.bootstrap = number;
        self
    }

    fn with_archive(mut self) -> Scene {
        self.me.archive = Archive::Shared;
        self
    }

    fn ordered(self, order: Order) -> Scene {
        Scene { order, ..self }
    }

    fn decides(&self) -> String {
        let Scene { me, own, others, waited, order } = self;
        let plan = start(&StartFacts { me, own, others, waited: *waited, order: order.clone() });
        format!("{:?}: {}", plan.verdict, plan.because)
    }
}

mod without_data {
    use super::*;

    fn nothing(pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> Scene {
        pg01(OwnData::None, pg02, pg03)
    }

    #[test]
    fn clones_a_primary_that_everybody_confirms() {
        assert_snapshot!(nothing(primary().epoch(3), standby_of("pg02").epoch(3)).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(3) }: no data here, and node 1 is primary of epoch 3");
    }

    #[test]
    fn waits_for_a_silent_node_to_confirm_the_primary() {
        assert_snapshot!(nothing(primary(), silent()).decides(), @"Wait: node 1 is primary; waiting for node 2 to confirm it before copying");
    }

    #[test]
    fn a_node_that_does_not_tell_its_promise_confirms_nothing() {
        assert_snapshot!(nothing(primary(), not_yet()).decides(), @"Wait: node 1 is primary; waiting for node 2 to confirm it before copying");
        assert_snapshot!(nothing(primary(), refused()).decides(), @"Wait: node 1 is primary; waiting for node 2 to confirm it before copying");
        assert_snapshot!(nothing(primary(), untrusted()).decides(), @"Wait: node 1 is primary; waiting for node 2 to confirm it before copying");
    }

    #[test]
    fn clones_unconfirmed_after_its_patience() {
        assert_snapshot!(nothing(primary(), silent()).waited(CONFIRM_PATIENCE).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(1) }: no data here, and node 1 is the only primary seen in 30 s (no answer from node 2)");
    }

    #[test]
    fn never_clones_a_reign_that_a_standby_promised_to_leave() {
        assert_snapshot!(nothing(primary(), standby().promised(2)).waited(CONFIRM_PATIENCE).decides(), @"Wait: node 1 is primary of epoch 1, but epoch 2 was promised: its reign may be over, nothing is copied from it");
    }

    #[test]
    fn nor_one_that_a_node_in_its_entrypoint_promised_to_leave() {
        assert_snapshot!(nothing(primary(), waiting(2)).decides(), @"Wait: node 1 is primary of epoch 1, but epoch 2 was promised: its reign may be over, nothing is copied from it");
    }

    #[test]
    fn waits_while_somebody_has_data() {
        // A standby.
        assert_snapshot!(nothing(standby_of("pg03"), empty()).decides(), @"Wait: no data here; node 1 may have it and no primary is up: waiting for one");
        // Data in an entrypoint.
        assert_snapshot!(nothing(waiting(1), empty()).decides(), @"Wait: no data here; node 1 may have it and no primary is up: waiting for one");
        // Servers that tell nothing.
        assert_snapshot!(nothing(not_yet(), refused()).decides(), @"Wait: no data here; nodes 1, 2 may have it and no primary is up: waiting for one");
    }

    #[test]
    fn waits_while_somebody_cannot_be_believed() {
        assert_snapshot!(nothing(empty(), untrusted()).waited(CONFIRM_PATIENCE).decides(), @"Wait: no data here, and node 2, which may have it, cannot be believed: the certificate CN=x was signed by CN=y");
    }

    #[test]
    fn waits_while_somebody_is_silent() {
        assert_snapshot!(nothing(empty(), silent()).waited(CONFIRM_PATIENCE).decides(), @"Wait: no data here, and no answer from node 2, which may have it; if it is lost for good: pgcluster bootstrap --because TEXT in the container of one node");
        // Silence.
        assert_snapshot!(nothing(silent(), silent()).waited(CONFIRM_PATIENCE).decides(), @"Wait: no data here, and no answer from nodes 1, 2, which may have it; if it is lost for good: pgcluster bootstrap --because TEXT in the container of one node");
    }

    #[test]
    fn initdb_when_all_are_empty() {
        assert_snapshot!(nothing(empty(), empty()).decides(), @"Initdb: every node answered that it is empty, and this is the bootstrap node");
    }

    #[test]
    fn only_the_bootstrap_node_runs_initdb() {
        assert_snapshot!(nothing(empty(), empty()).bootstrap_is(PG02).decides(), @"Wait: every node is empty; node 1 is the bootstrap node and begins");
    }

    #[test]
    fn a_single_node_runs_initdb() {
        let mut alone = nothing(empty(), empty());
        alone.me.quorum = Quorum::of(1, false);
        alone.others = ClusterView::default();
        assert_snapshot!(alone.decides(), @"Initdb: no data here, and this is the only node");
    }

    #[test]
    fn an_operator_may_order_the_bootstrap() {
        assert_snapshot!(nothing(silent(), silent()).ordered(Order::Bootstrap { because: "lost it".into() }).decides(), @"Initdb: an operator ordered the bootstrap on this node: lost it");
        // But not over a primary.
        assert_snapshot!(nothing(primary(), empty()).ordered(Order::Bootstrap { because: "lost it".into() }).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(1) }: no data here, and node 1 is primary of epoch 1");
    }
}

mod with_half_a_rewind {
    use super::*;

    fn unfinished(pg02: impl Into<Reach>) -> Scene {
        pg01(OwnData::Unfinished { promised_epoch: Epoch(2) }, pg02, silent())
    }

    #[test]
    fn clones_a_reign_it_may_follow() {
        assert_snapshot!(unfinished(primary().epoch(2)).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(2) }: a rewind was interrupted here, and node 1 is primary of epoch 2");
    }

    #[test]
    fn waits_beside_an_older_reign() {
        assert_snapshot!(unfinished(primary().epoch(1)).decides(), @"Wait: a rewind was interrupted here: this is no data any more, waiting for a primary to copy");
    }

    #[test]
    fn waits_without_a_primary() {
        assert_snapshot!(unfinished(empty()).decides(), @"Wait: a rewind was interrupted here: this is no data any more, waiting for a primary to copy");
    }
}

mod beside_a_primary {
    use super::*;

    /// pg02 reigns in epoch 2 on timeline 2, which left timeline 1 at 0/100, and is at 0/200; pg03 is silent.
    fn beside(own: Own) -> Scene {
        pg01(own, primary().epoch(2).timeline(2, &[(1, 0x100)]).at(0x200), silent())
    }

    #[test]
    fn another_system_is_refused() {
        assert_snapshot!(pg01(was_standby_of("pg02"), primary().system(8), silent()).decides(), @"Refuse: the data here belongs to another cluster: system identifier 7 here, 8 on the primary; mount the right volume, or an empty one to copy the cluster");
    }

    #[test]
    fn a_prefix_follows() {
        assert_snapshot!(beside(was_standby_of("pg02")).decides(), @"Follow { upstream: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2 and the data here is a prefix of its history");
        // A former primary that lost nothing.
        assert_snapshot!(beside(was_primary().at(0x100)).decides(), @"Follow { upstream: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2 and the data here is a prefix of its history");
        // On its timeline.
        assert_snapshot!(beside(was_standby_of("pg02").timeline(2, &[(1, 0x100)]).at(0x200)).decides(), @"Follow { upstream: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2 and the data here is a prefix of its history");
    }

    #[test]
    fn a_prefix_whose_wal_is_gone_is_copied_anew() {
        let ahead = |from| pg01(was_standby_of("pg02"), primary().at(0x900).wal_from(from), silent());
        assert_snapshot!(ahead(0x800).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(1) }: node 1 is primary of epoch 1, and no longer has the WAL after 0/100");
        // Its segment is still there.
        assert_snapshot!(ahead(0x100).decides(), @"Follow { upstream: NodeNumber(1), epoch: Epoch(1) }: node 1 is primary of epoch 1 and the data here is a prefix of its history");
        // There is an archive.
        assert_snapshot!(ahead(0x800).with_archive().decides(), @"Follow { upstream: NodeNumber(1), epoch: Epoch(1) }: node 1 is primary of epoch 1 and the data here is a prefix of its history");
    }

    #[test]
    fn wal_after_the_fork_is_rewound() {
        assert_snapshot!(beside(was_primary().at(0x101)).decides(), @"Rewind { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but the WAL here ends at 0/101, after timeline 1 was left at 0/100");
    }

    #[test]
    fn data_without_its_wal_is_not_followed_with() {
        assert_snapshot!(beside(was_primary().without_wal()).decides(), @"Rewind { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but its WAL is gone here: the last checkpoint, at 0/80, cannot be read");
    }

    #[test]
    fn an_unknown_timeline_is_rewound() {
        let seen = primary().epoch(2).timeline(3, &[(1, 0x100)]).at(0x200);
        assert_snapshot!(pg01(was_standby_of("pg03").timeline(2, &[(1, 0x80)]), seen, silent()).decides(), @"Rewind { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but timeline 2 is not in the primary's history");
    }

    #[test]
    fn a_later_timeline_is_rewound() {
        assert_snapshot!(beside(was_standby_of("pg03").timeline(3, &[(1, 0x80)])).decides(), @"Rewind { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but the data here is on timeline 3, the primary's on 2");
    }

    #[test]
    fn the_same_number_of_another_timeline_is_copied_because_pg_rewind_would_see_no_difference() {
        assert_snapshot!(beside(was_standby_of("pg03").timeline(2, &[(1, 0x80)])).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but timeline 2 began at another point here than on the primary");
        // Both were its primary.
        assert_snapshot!(beside(was_primary().timeline(2, &[(1, 0x100)])).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but this node was itself the primary of timeline 2");
    }

    #[test]
    fn an_ancestor_that_began_elsewhere_is_rewound() {
        let seen = primary().epoch(3).timeline(3, &[(1, 0x100), (2, 0x200)]).at(0x300);
        assert_snapshot!(pg01(was_standby_of("pg03").timeline(2, &[(1, 0x80)]), seen, silent()).decides(), @"Rewind { from: NodeNumber(1), epoch: Epoch(3) }: node 1 is primary of epoch 3, but timeline 2 began at another point here than on the primary");
    }

    #[test]
    fn a_reign_that_was_cut_off_is_copied_although_the_numbers_agree() {
        let twin = was_standby_of("pg03").reign(3).promised(3).timeline(2, &[(1, 0x100)]);
        let seen = primary().epoch(4).timeline(2, &[(1, 0x100)]).at(0x200);
        assert_snapshot!(pg01(twin, seen, silent()).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(4) }: node 1 is primary of epoch 4, but the data here comes from reign 3, which is not in the primary's history");
    }

    #[test]
    fn more_wal_than_the_primary_is_copied_too() {
        assert_snapshot!(beside(was_standby_of("pg02").timeline(2, &[(1, 0x100)]).at(0x201)).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but the WAL here ends at 0/201, beyond the primary's end 0/200");
    }

    #[test]
    fn a_claim_to_its_own_epoch_is_looked_at_twice() {
        let own = was_primary().promised(2).timeline(2, &[(1, 0x100)]);
        assert_snapshot!(beside(own.clone()).decides(), @"Wait: node 1 claims this node's own epoch 2: this node was itself the primary of timeline 2");
        // Later.
        assert_snapshot!(beside(own).waited(PATIENCE).decides(), @"Clone { from: NodeNumber(1), epoch: Epoch(2) }: node 1 is primary of epoch 2, but this node was itself the primary of timeline 2");
    }

    #[test]
    fn an_older_reign_is_never_followed() {
        let own = was_standby_of("pg03").promised(3);
        assert_snapshot!(beside(own.clone()).decides(), @"Wait: the only primary reigns in epoch 2, and this node has promised epoch 3: an older reign is never followed");
        // Later.
        assert_snapshot!(beside(own).waited(PATIENCE).decides(), @"Park: the only primary reigns in epoch 2, and this node has promised epoch 3: an older reign is never followed");
    }
}

mod without_a_primary {
    use super::*;

    fn later(own: Own, pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> Scene {
        pg01(own, pg02, pg03).waited(PATIENCE)
    }

    #[test]
    fn strangers_alone_are_refused() {
        assert_snapshot!(pg01(was_primary(), standby().system(8), silent()).decides(), @"Refuse: every node that answers has another system identifier than the data here (7): mount the right volume");
    }

    #[test]
    fn one_stranger_among_others_is_not() {
        assert_snapshot!(pg01(was_standby_of("pg03"), standby().system(8), standby()).decides(), @"Standby: this node was a standby and nobody is primary: it keeps the upstream it had");
    }

    #[test]
    fn a_writable_stranger_among_others_is_passed_over() {
        let stranger = || primary().system(8).epoch(9);
        assert_snapshot!(pg01(was_standby_of("pg03"), stranger(), primary()).decides(), @"Follow { upstream: NodeNumber(2), epoch: Epoch(1) }: node 2 is primary of epoch 1 and the data here is a prefix of its history");
        assert_snapshot!(pg01(was_standby_of("pg03"), stranger(), standby()).decides(), @"Standby: this node was a standby and nobody is primary: it keeps the upstream it had");
    }

    #[test]
    fn a_standby_keeps_its_pointer() {
        assert_snapshot!(pg01(was_standby_of("pg02"), silent(), silent()).decides(), @"Standby: this node was a standby and nobody is primary: it keeps the upstream it had");
    }

    #[test]
    fn a_primary_that_enough_name_resumes() {
        assert_snapshot!(pg01(was_primary(), standby_of("pg01"), silent()).decides(), @"Resume: this node was primary, nobody else is, and 2 of 3 nodes name it (needed: 2)");
    }

    #[test]
    fn a_primary_that_too_few_name_parks() {
        // At first it waits.
        assert_snapshot!(pg01(was_primary(), standby(), silent()).decides(), @"Wait: this node was primary, but only 1 of 3 nodes name it (needed: 2)");
        // Frozen.
        assert_snapshot!(later(was_primary(), standby(), silent()).decides(), @"Park: this node was primary, but only 1 of 3 nodes name it (needed: 2)");
        // Of another.
        assert_snapshot!(later(was_primary(), standby_of("pg03"), silent()).decides(), @"Park: this node was primary, but only 1 of 3 nodes name it (needed: 2)");
        // Not serving.
        assert_snapshot!(later(was_primary(), waiting(1), not_yet()).decides(), @"Park: this node was primary, but only 1 of 3 nodes name it (needed: 2)");
        // With an older promise.
        assert_snapshot!(later(was_primary().promised(2), standby_of("pg01"), silent()).decides(), @"Park: this node was primary, but only 1 of 3 nodes name it (needed: 2)");
    }

    #[test]
    fn a_primary_that_others_outrank_parks() {
        let votes = || standby_of("pg01");
        // At first it waits.
        assert_snapshot!(pg01(was_primary(), votes(), votes().promised(2)).decides(), @"Wait: node 2 holds data of a later reign than this former primary");
        // By promise.
        assert_snapshot!(later(was_primary(), votes(), votes().promised(2)).decides(), @"Park: node 2 holds data of a later reign than this former primary");
        // By epoch.
        assert_snapshot!(later(was_primary(), votes(), votes().data_epoch(2)).decides(), @"Park: node 2 holds data of a later reign than this former primary");
        // By timeline.
        assert_snapshot!(later(was_primary(), votes(), votes().timeline(2, &[(1, 0x80)])).decides(), @"Park: node 2 holds data of a later reign than this former primary");
        // By position.
        assert_snapshot!(later(was_primary(), votes(), votes().at(0x101)).decides(), @"Park: node 2 holds data of a later reign than this former primary");
    }

    #[test]
    fn a_stranger_outranks_nobody_and_names_nobody() {
        let stranger = standby_of("pg01").system(8).promised(9);
        assert_snapshot!(later(was_primary(), stranger, standby_of("pg01")).decides(), @"Resume: this node was primary, nobody else is, and 2 of 3 nodes name it (needed: 2)");
    }
}

#[test]
fn the_end_of_wal_is_read_only_where_it_decides() {
    let ahead = was_primary().timeline(3, &[(1, 0x80)]);
    let rows = [
        ("a primary of my timeline or a later one", was_primary(), primary().into(), true),
        ("a primary of an earlier timeline", ahead, primary().into(), false),
        ("a former primary, to be compared with standbys", was_primary(), standby().into(), true),
        ("a former primary that sees no server", was_primary(), silent(), false),
        ("a standby without a primary", was_standby_of("pg02"), standby().into(), false),
    ];
    for (name, own, pg03, expected) in rows {
        assert_eq!(needs_wal_end(&own.node(), &others(PG01, [silent(), pg03])), expected, "{name}");
    }
}

#[test]
fn no_server_starts_without_room_for_wal() {
    let at = |verdict, free| {
        let StartPlan { verdict, because } = with_room(plan(verdict, "it may"), free);
        format!("{verdict}: {because}")
    };
    assert_snapshot!(at(Verdict::Standby, WAL_ROOM - 1), @"wait: the disk is full: 31 MB are free for WAL, 32 are needed; make room, and this node goes on by itself (start as standby)");
    for verdict in [Verdict::Resume, Verdict::Park, Verdict::Follow { upstream: PG02, epoch: Epoch(1) }] {
        assert!(at(verdict, 0).starts_with("wait: "), "{verdict}");
        assert_eq!(at(verdict, WAL_ROOM), format!("{verdict}: it may"));
    }
    for verdict in [Verdict::Initdb, Verdict::Rewind { from: PG02, epoch: Epoch(1) }, Verdict::Wait, Verdict::Refuse] {
        assert_eq!(at(verdict, 0), format!("{verdict}: it may"));
    }
}
