use super::*;
use crate::model::{Epoch, RoomState, SystemId};
use crate::plan::builders::{self, PG01, PG02, PG03, silent};

fn primary() -> NodeState {
    builders::primary().state()
}

fn standby_of(host: &str) -> NodeState {
    builders::standby_of(host).heard_ms_ago(10).state()
}

fn serving(state: NodeState) -> Reach {
    Reach::Serving(Box::new(state))
}

fn view(reaches: [Reach; 3]) -> ClusterView {
    let numbers = || (0..3).map(NodeNumber);
    let hosts = numbers().zip(["pg01", "pg02", "pg03"].map(String::from)).collect();
    ClusterView { nodes: numbers().zip(reaches).collect(), hosts }
}

/// pg01 is the primary, pg02 streams, pg03 is as given.
fn with_pg03(pg03: Reach) -> ClusterView {
    view([serving(primary()), serving(standby_of("pg01")), pg03])
}

/// One letter per backend (u up, w waiting, d down, n unused, - not said); capital: the primary, as pgpool believes.
fn belief(letters: &str) -> PoolView {
    let backend = |letter: char| {
        let status = match letter.to_ascii_lowercase() {
            'u' => BackendStatus::Up,
            'w' => BackendStatus::Waiting,
            'd' => BackendStatus::Down,
            'n' => BackendStatus::Unused,
            _ => return None,
        };
        let role = if letter.is_ascii_uppercase() { Role::Primary } else { Role::Standby };
        Some(Backend { status, quarantined: false, role, weight: 1.0 / 3.0 })
    };
    let numbered = (0..).map(NodeNumber).zip(letters.chars());
    PoolView { backends: numbered.filter_map(|(number, letter)| Some((number, backend(letter)?))).collect() }
}

/// The orders, in the order in which they are given.
fn orders(believed: &str, truth: &ClusterView) -> String {
    let word = |judgement: &Judgement| match judgement.verdict {
        Verdict::Leave => None,
        Verdict::Attach => Some(format!("attach {}", judgement.number)),
        Verdict::MakePrimary => Some(format!("make primary {}", judgement.number)),
    };
    heal(&belief(believed), truth).iter().filter_map(word).collect::<Vec<_>>().join(", ")
}

#[test]
fn what_pgpool_is_told() {
    let healthy = with_pg03(serving(standby_of("pg01")));
    let promoted = view([silent(), serving(primary()), serving(standby_of("pg02"))]);
    let rows = [
        ("all is well", "Uuu", &healthy, ""),
        ("nobody has connected yet", "Www", &healthy, ""),
        ("a standby is down", "Uud", &healthy, "attach 2"),
        ("both standbys are down", "Udd", &healthy, "attach 1, attach 2"),
        ("the primary is down", "Duu", &healthy, "attach 0"),
        ("the primary is down, and pgpool found no other", "duu", &healthy, "attach 0"),
        ("all down", "ddd", &healthy, "attach 0, attach 1, attach 2"),
        ("all down, and the primary is not number 0", "ddd", &promoted, "attach 1, attach 2"),
        ("promoted behind its back, before it noticed", "Uuu", &promoted, "make primary 1, attach 2"),
        ("promoted behind its back, after it gave up", "duu", &promoted, "make primary 1, attach 2"),
        ("the same, and the standby is down", "dud", &promoted, "make primary 1, attach 2"),
        ("promoted, and the new primary is down", "Ddu", &promoted, "attach 1"),
        ("no primary, all up", "uuu", &healthy, "make primary 0, attach 1, attach 2"),
        ("no primary, a standby is switched off", "uun", &healthy, "make primary 0, attach 1"),
        ("switched off by hand in the status file", "Unu", &healthy, ""),
        ("pgpool did not speak of all", "U-d", &healthy, "attach 2"),
        ("pgpool said nothing", "", &healthy, ""),
    ];
    for (name, believed, truth, expected) in rows {
        assert_eq!(orders(believed, truth), expected, "{name}");
    }
}

/// Only what pgpool said, and of everybody who serves, is agreed on.
#[test]
fn when_pgpool_need_not_be_asked_again() {
    let healthy = with_pg03(serving(standby_of("pg01")));
    let one_less = with_pg03(silent());
    let rows = [
        ("Uuu", &healthy, true),
        ("Unu", &healthy, true),
        ("Uud", &healthy, false),
        ("uuu", &healthy, false),
        ("Uu-", &healthy, false),
        ("", &healthy, false),
        ("Uu-", &one_less, true),
        ("Ud-", &one_less, false),
    ];
    for (believed, truth, expected) in rows {
        assert_eq!(agrees(&belief(believed), truth), expected, "{believed}");
    }
}

#[test]
fn who_is_not_fit_stays_out() {
    let frozen = NodeState { upstream: None, receiver_silent_ms: None, ..standby_of("pg01") };
    let deaf = NodeState { receiver_silent_ms: None, ..standby_of("pg01") };
    let foreign = NodeState { system_id: SystemId(8), ..standby_of("pg01") };
    let zombie = NodeState { data_epoch: Some(Epoch(0)), ..primary() };
    let rows = [
        (silent(), "it does not answer"),
        (Reach::Refused { reason: "too many clients".into() }, "it refuses: too many clients"),
        (Reach::Untrusted { reason: "signed by CN=y".into() }, "it cannot be believed: signed by CN=y"),
        (Reach::NotYet { reason: "the database system is starting up".into() }, "the database system is starting up"),
        (Reach::Waiting(RoomState::working("rewinding")), "it is rewinding"),
        (serving(foreign), "it belongs to another cluster: its system identifier differs from the primary's"),
        (serving(zombie), "it is writable, but node 0 reigns in a later epoch"),
        (serving(frozen), "it follows nobody"),
        (serving(standby_of("pg02")), "it follows pg02, which is not the primary"),
        (serving(deaf), "it does not stream from the primary"),
    ];
    for (reach, expected) in rows {
        let truth = with_pg03(reach);
        assert_eq!(fitness(&truth, PG03), Fitness::Unfit(expected.into()));
        for believed in ["Uud", "Uuu", "Uuw", "Uun"] {
            assert_eq!(orders(believed, &truth), "", "{believed}: {expected}");
        }
    }
}

/// A stopped node's name or address went over to a server of another cluster.
#[test]
fn a_writable_stranger_is_no_primary() {
    let stranger =
        || serving(NodeState { system_id: SystemId(8), data_epoch: Some(Epoch(9)), promised_epoch: Epoch(9), ..primary() });
    let beside = view([serving(primary()), stranger(), serving(standby_of("pg01"))]);
    assert_eq!(orders("Uuu", &beside), "");
    assert_eq!(orders("ddd", &beside), "attach 0, attach 2");
    // Nobody knows which of the two belongs here.
    let even = view([silent(), stranger(), serving(standby_of("pg01"))]);
    assert_eq!(orders("ddd", &even), "");
}

#[test]
fn without_a_primary_nobody_is_fit() {
    let truth = view([silent(), serving(standby_of("pg01")), serving(standby_of("pg01"))]);
    assert_eq!(orders("ddd", &truth), "");
    assert_eq!(fitness(&truth, PG02), Fitness::Unfit("there is no primary to compare it with".into()));
}

#[test]
fn a_primary_whose_standbys_promised_a_later_epoch_is_not_brought_back() {
    let promised = NodeState { promised_epoch: Epoch(2), ..standby_of("pg01") };
    let truth = view([serving(primary()), serving(promised), silent()]);
    assert_eq!(orders("Ddd", &truth), "");
    let why = "a promotion to epoch 2 is under way, and the only primary is of epoch 1";
    assert_eq!(fitness(&truth, PG01), Fitness::Unfit(why.into()));
}

#[test]
fn who_is_worth_waiting_for() {
    let patience = Duration::from_secs(3);
    let joining = NodeState { receiver_silent_ms: None, ..standby_of("pg01") };
    let elsewhere = NodeState { receiver_silent_ms: None, ..standby_of("pg02") };
    let rows = [
        ("copies, 2 s to go", Reach::Waiting(RoomState::cloning(40, 1000, Some(2))), true),
        ("copies, 70 s to go", Reach::Waiting(RoomState::cloning(40, 1000, Some(70))), false),
        ("copies, nobody knows how long", Reach::Waiting(RoomState::cloning(0, 0, None)), true),
        ("joins", Reach::Waiting(RoomState::working("joining")), true),
        ("starts", Reach::NotYet { reason: "the database system is starting up".into() }, true),
        ("serves, not streaming yet", serving(joining), true),
        ("streams", serving(standby_of("pg01")), false),
        ("follows another", serving(elsewhere), false),
        ("silent", silent(), false),
        ("has another's certificate", Reach::Untrusted { reason: "signed by CN=y".into() }, false),
        ("refuses", Reach::Refused { reason: "password authentication failed".into() }, false),
    ];
    for (name, reach, expected) in rows {
        assert_eq!(is_arriving(&with_pg03(reach), PG03, patience), expected, "{name}");
    }
}

#[test]
fn a_silent_standby_is_dropped_only_beside_a_primary_that_answers() {
    let up = [PG01, PG02, PG03];
    assert_eq!(silent_standbys(&with_pg03(silent()), &up), [PG03]);
    assert_eq!(silent_standbys(&with_pg03(silent()), &[PG01, PG02]), []);
    assert_eq!(silent_standbys(&with_pg03(serving(standby_of("pg01"))), &up), []);
    assert_eq!(silent_standbys(&view([silent(), serving(standby_of("pg01")), silent()]), &up), []);
    assert_eq!(silent_standbys(&view([silent(), silent(), silent()]), &up), []);
}

#[test]
fn a_standby_in_use_is_dispensable() {
    let up = [PG01, PG02, PG03];
    let healthy = with_pg03(serving(standby_of("pg01")));
    assert_eq!(dispensable(&healthy, &up), Some(PG03));
    assert_eq!(dispensable(&healthy, &[PG01, PG02]), Some(PG02));
    assert_eq!(dispensable(&healthy, &[PG01]), None);
    assert_eq!(dispensable(&with_pg03(silent()), &up), Some(PG02));
    assert_eq!(dispensable(&view([silent(), silent(), silent()]), &up), None);
}

#[test]
fn the_upstream_is_silent_when_it_gives_no_answer_at_all() {
    let follows = |host| serving(standby_of(host));
    assert!(upstream_is_silent(&view([silent(), follows("pg01"), follows("pg01")])));
    assert!(upstream_is_silent(&view([silent(), follows("pg01"), silent()])));
    let starting = Reach::NotYet { reason: "the database system is starting up".into() };
    assert!(!upstream_is_silent(&view([starting, follows("pg01"), follows("pg01")])));
    let waiting = Reach::Waiting(RoomState::working("waiting"));
    assert!(!upstream_is_silent(&view([waiting, follows("pg01"), follows("pg01")])));
    // One of two upstreams answers.
    assert!(!upstream_is_silent(&view([silent(), follows("pg01"), follows("pg02")])));
    // Nobody follows anybody.
    assert!(!upstream_is_silent(&view([silent(), silent(), silent()])));
    assert!(!upstream_is_silent(&view([serving(primary()), follows("pg01"), silent()])));
}

#[test]
fn a_primary_that_left_is_given_up_once_somebody_may_follow() {
    let because = || "seen".to_owned();
    let rows = [
        (Need::None { primary: PG01, because: because() }, AfterBreak::Leave),
        (Need::None { primary: PG02, because: because() }, AfterBreak::GiveUp { primary: PG02 }),
        (Need::Promote { because: because() }, AfterBreak::Elect),
        (Need::Finish { primary: PG02, epoch: Epoch(2) }, AfterBreak::Wait),
        (Need::Lives { because: because() }, AfterBreak::Wait),
        (Need::Unclear { because: because() }, AfterBreak::Wait),
    ];
    for (need, expected) in rows {
        assert_eq!(after_break(&need, PG01), expected, "{need:?}");
    }
}

#[test]
fn the_first_node_succeeds_only_if_nobody_else_is_up() {
    assert_eq!(successor(&[PG01, PG02, PG03], PG01), Some(PG02));
    assert_eq!(successor(&[PG01, PG02, PG03], PG02), Some(PG03));
    assert_eq!(successor(&[PG01, PG03], PG03), Some(PG01));
    assert_eq!(successor(&[PG02], PG02), None);
}
