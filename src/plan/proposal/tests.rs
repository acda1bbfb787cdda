//! What operators read before they say --yes.

use super::backend::{Order, attach, detach};
use super::{bootstrap, pause, promote, rejoin, stop, switchover};
use crate::model::{Backend, BackendStatus, Outlook, Proposal, Reach, Role};
use crate::plan::builders::{
    PG01, PG02, PG03, cluster, empty, not_yet, others, primary, refused, silent, standby, standby_of, view, waiting,
};
use crate::plan::promotion::Asker;
use crate::plan::switchover::Plan;
use crate::render::text::{WIDTH, proposal::proposal};

/// The texts of several scenes, each with what becomes of it.
fn shown(proposals: impl IntoIterator<Item = Proposal>) -> String {
    let text = |each: Proposal| format!("({:?})\n{}", each.outlook, proposal(&each));
    let text = proposals.into_iter().map(text).collect::<Vec<_>>().join("\n");
    assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    text
}

fn healthy() -> [Reach; 3] {
    [primary().into(), standby_of("pg01").keeps_up().into(), standby_of("pg01").keeps_up().into()]
}

fn headless() -> [Reach; 3] {
    [silent(), standby_of("pg01").into(), standby_of("pg01").at(0x200).into()]
}

#[test]
fn promote_says_who_and_why() {
    let of = |reaches, asker| promote::promote(&view(reaches), &cluster("auto"), (asker, None), "pg01 burnt");
    let person = Asker::Person;
    let unclear = [silent(), standby_of("pg01").heard_ms_ago(900).into(), standby_of("pg01").into()];
    let alone = || [silent(), standby_of("pg01").into(), silent()];
    let unfinished = [silent(), primary().promised(2).into(), standby_of("pg02").promised(2).into()];
    insta::assert_snapshot!(shown([
        of(healthy(), person),
        of(headless(), person),
        of(unclear, person),
        of(alone(), person),
        of(alone(), Asker::Forced),
        of(unfinished, person),
    ]));
}

#[test]
fn stop_says_what_follows() {
    let of = |reaches, mode, number| stop::stop(&view(reaches), &cluster(mode), number);
    let last = [primary().into(), standby_of("pg01").keeps_up().into(), silent()];
    let paused =
        [primary().paused().into(), standby_of("pg01").keeps_up().paused().into(), standby_of("pg01").keeps_up().paused().into()];
    insta::assert_snapshot!(shown([
        of(healthy(), "auto", PG01),
        of(healthy(), "manual", PG01),
        of(paused, "auto", PG01),
        of(healthy(), "auto", PG03),
        of(last, "auto", PG02),
        of([primary().into(), waiting(1), not_yet()], "auto", PG02),
        of([primary().into(), waiting(1), not_yet()], "auto", PG03),
        of([primary().into(), refused(), silent()], "auto", PG02),
    ]));
}

#[test]
fn pause_and_resume_say_what_holds_now() {
    let paused = || [primary().paused().into(), standby_of("pg01").keeps_up().into(), silent()];
    let pause = |reaches, mode| pause::pause(&view(reaches), &cluster(mode), "anna", "new switches");
    let resume = |reaches| pause::resume(&view(reaches), &cluster("auto"));
    insta::assert_snapshot!(shown([
        pause(healthy(), "auto"),
        pause(paused(), "manual"),
        pause(headless(), "auto"),
        resume(paused()),
        resume(healthy()),
        resume(headless()),
    ]));
}

#[test]
fn rejoin_says_which_rung() {
    let of = |node: Reach| {
        let reign_two = primary().epoch(2).timeline(2, &[(1, 0x100)]).at(0x300).into();
        rejoin::rejoin(&view([reign_two, node, silent()]), &cluster("auto"), PG02)
    };
    insta::assert_snapshot!(shown([
        of(standby_of("pg01").into()),
        of(primary().at(0x180).into()),
        of(standby_of("pg01").epoch(7).into()),
        of(empty()),
        of(not_yet()),
        of(silent()),
        rejoin::rejoin(&view(healthy()), &cluster("auto"), PG01),
        rejoin::rejoin(&view(headless()), &cluster("auto"), PG02),
    ]));
}

#[test]
fn bootstrap_says_what_is_lost() {
    let of = |own: Reach, one: Reach, other: Reach| {
        bootstrap::bootstrap(&own, &others(PG01, [one, other]), &cluster("auto"), PG01, "volumes burnt")
    };
    insta::assert_snapshot!(shown([
        of(empty(), empty(), silent()),
        of(empty(), waiting(2), standby_of("pg01").into()),
        of(empty(), primary().into(), silent()),
        of(waiting(1), silent(), silent()),
        of(standby().into(), silent(), silent()),
        of(silent(), silent(), silent()),
    ]));
}

#[test]
fn attach_and_detach_say_what_pgpool_does() {
    let backend = |status| Backend { status, quarantined: false, role: Role::Standby, weight: 0.3 };
    let (up, down) = (backend(BackendStatus::Up), backend(BackendStatus::Down));
    let order = |number, backend| Order { pool: "pgpool01", number, backend };
    let (seen, cluster) = (view([primary().into(), standby_of("pg01").keeps_up().into(), standby().into()]), cluster("auto"));
    insta::assert_snapshot!(shown([
        attach(&seen, &cluster, order(PG02, Some(&down))),
        attach(&seen, &cluster, order(PG02, Some(&up))),
        attach(&seen, &cluster, order(PG03, None)),
        detach(&seen, &cluster, order(PG01, Some(&up))),
        detach(&seen, &cluster, order(PG02, Some(&up))),
        detach(&seen, &cluster, order(PG02, Some(&down))),
    ]));
}

#[test]
fn switchover_says_its_steps() {
    let plan = Plan {
        from: PG01,
        to: PG02,
        voters: vec![PG02, PG03],
        because: "node 1 streams from node 0 and lacks 0 bytes".into(),
        warnings: vec!["automatic failover is paused by anna".into()],
    };
    let proposal = switchover::switchover(&plan, &cluster("auto"));
    assert_eq!(proposal.outlook, Outlook::NeedsConsent);
    insta::assert_snapshot!(shown([proposal]));
}
