use insta::assert_snapshot;

use super::{Forecast, promotion, restart, without};
use crate::model::{ClusterView, NodeNumber, Reach, RoomState};
use crate::plan::builders::{PG01, PG02, PG03, cluster, empty, primary, silent, standby, standby_of, view};
use crate::plan::promotion::Asker;
use crate::spec::ClusterSpec;

const PERSON: Asker = Asker::Person;

fn says(forecast: Forecast) -> String {
    match forecast {
        Forecast::Nothing { primary, because } => format!("nothing, {primary}: {because}"),
        Forecast::Finish { primary, epoch } => format!("finish {primary}, epoch {epoch}"),
        Forecast::Promote(e) => {
            let numbers = |list: &[NodeNumber]| list.iter().map(NodeNumber::to_string).collect::<Vec<_>>().join(" ");
            let (followers, left) = (numbers(&e.followers), numbers(&e.left));
            format!(
                "promote {} to epoch {} at {}, followers [{followers}], left [{left}]: {}",
                e.candidate, e.epoch, e.rank.lsn, e.because
            )
        }
        Forecast::Unclear { because } => format!("unclear: {because}"),
        Forecast::No { because } => format!("no: {because}"),
    }
}

fn of_preferred(reaches: [Reach; 3], asker: Asker, preferred: Option<NodeNumber>) -> String {
    says(promotion(&view(reaches), &cluster("auto"), asker, preferred))
}

fn of(reaches: [Reach; 3], asker: Asker) -> String {
    of_preferred(reaches, asker, None)
}

#[test]
fn whoever_holds_the_most_is_named() {
    let further = [silent(), standby_of("pg01").into(), standby_of("pg01").at(0x200).into()];
    assert_snapshot!(
        [
            of(further, PERSON),
            of_preferred([silent(), standby_of("pg01").into(), standby_of("pg01").into()], PERSON, Some(PG03)),
        ]
        .join("\n")
    );
}

#[test]
fn a_primary_a_sign_of_life_and_too_few_standbys_are_told() {
    assert_snapshot!(
        [
            of([primary().into(), standby_of("pg01").into(), silent()], PERSON),
            of([silent(), standby_of("pg01").heard_ms_ago(900).into(), standby_of("pg01").into()], PERSON),
            of([silent(), standby_of("pg01").into(), silent()], PERSON),
            of([silent(), standby_of("pg01").into(), silent()], Asker::Forced),
            of([silent(), primary().promised(2).into(), standby().promised(2).into()], PERSON),
        ]
        .join("\n")
    );
}

#[test]
fn a_pause_holds_machines_only() {
    let scene = || [silent(), standby_of("pg01").paused().into(), standby_of("pg01").paused().into()];
    assert_snapshot!([of(scene(), Asker::Machine), of(scene(), PERSON),].join("\n"));
}

/// A former primary that was frozen with the others, and wrote alone.
#[test]
fn who_holds_something_else_is_left() {
    let parked = standby().at(0x180).into();
    let of_reign_two = |seen: crate::plan::builders::Seen| seen.epoch(2).timeline(2, &[(1, 0x100)]).at(0x200);
    let scene = [parked, of_reign_two(standby_of("pg01")).into(), of_reign_two(standby_of("pg01")).into()];
    assert_snapshot!(of(scene, PERSON));
}

#[test]
fn nobody_hears_from_a_server_that_was_stopped() {
    let healthy = view([primary().into(), standby_of("pg01").keeps_up().into(), standby_of("pg01").keeps_up().into()]);
    assert_snapshot!(says(promotion(&without(&healthy, PG01), &cluster("auto"), Asker::Machine, None)));
    let still_hears = without(&healthy, PG02);
    assert!(still_hears.reach(PG03).and_then(Reach::serving).is_some_and(|state| state.receiver_silent_ms.is_some()));
}

fn start_of(seen: &ClusterView, cluster: &ClusterSpec, number: NodeNumber) -> String {
    restart(seen, cluster, number).map_or("unknown".into(), |plan| format!("{}: {}", plan.verdict, plan.because))
}

#[test]
fn each_rung_of_a_rejoin_is_told() {
    let cluster = cluster("auto");
    let reign_two = || primary().epoch(2).timeline(2, &[(1, 0x100)]).at(0x300).into();
    let scene = |node: Reach| view([reign_two(), node, silent()]);
    assert_snapshot!(
        [
            start_of(&scene(standby_of("pg01").into()), &cluster, PG02),
            start_of(&scene(standby_of("pg01").at(0x180).into()), &cluster, PG02),
            start_of(&scene(standby_of("pg01").epoch(7).into()), &cluster, PG02),
            start_of(&scene(standby_of("pg01").system(9).into()), &cluster, PG02),
            start_of(&scene(primary().at(0x180).into()), &cluster, PG02),
            start_of(&scene(empty()), &cluster, PG02),
            start_of(&scene(Reach::Waiting(RoomState::working("rewinding"))), &cluster, PG02),
            start_of(&scene(silent()), &cluster, PG02),
        ]
        .join("\n")
    );
}
