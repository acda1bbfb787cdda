//! What people see, in the situations that they meet.

use super::codes::CODES;
use super::{Facts, report};
use crate::model::{
    Backend, BackendStatus, Certificate, ClusterReport, ClusterView, Details, Epoch, Failover, InUse, Lsn, NodeNumber,
    PoolOpinion, PoolView, Reach, Receiver, RepmgrRow, Role, RoomState, Weight,
};
use crate::plan::builders::{PG01, PG02, PG03, cluster, primary, silent, standby, standby_of, untrusted, view};
use crate::render::text::status::status;
use crate::render::text::{Paint, WIDTH};

/// Everything in order: pg01 reigns, the others stream, repmgr and pgpool01 agree.
struct Scene {
    view: ClusterView,
    details: Vec<(NodeNumber, Details)>,
    pool: Option<PoolView>,
    mode: &'static str,
}

fn receiver(name: &str) -> Receiver {
    Receiver { name: name.into(), state: "streaming".into(), sync_state: "quorum".into(), replay_lag_s: None }
}

fn row(number: NodeNumber, upstream: Option<NodeNumber>) -> RepmgrRow {
    let kind = if upstream.is_some() { "standby" } else { "primary" };
    RepmgrRow { id: number.id(), kind: kind.into(), active: true, upstream: upstream.map(NodeNumber::id) }
}

fn backend(status: BackendStatus, role: Role) -> Backend {
    Backend { status, quarantined: false, role, weight: 0.33 }
}

fn healthy() -> Scene {
    let rows = vec![row(PG01, None), row(PG02, Some(PG01)), row(PG03, Some(PG01))];
    let own = |receivers: Vec<Receiver>| Details { receivers, repmgr: rows.clone(), ..Details::default() };
    let replayed = || Details { replayed: Some(Lsn(0x100)), ..own(Vec::new()) };
    Scene {
        view: view([primary().into(), standby_of("pg01").keeps_up().into(), standby_of("pg01").keeps_up().into()]),
        details: vec![(PG01, own(vec![receiver("pg02"), receiver("pg03")])), (PG02, replayed()), (PG03, replayed())],
        pool: Some(believes([
            (BackendStatus::Up, Role::Primary),
            (BackendStatus::Up, Role::Standby),
            (BackendStatus::Waiting, Role::Standby),
        ])),
        mode: "auto",
    }
}

fn believes<const N: usize>(backends: [(BackendStatus, Role); N]) -> PoolView {
    PoolView { backends: (0..).map(NodeNumber).zip(backends.map(|(status, role)| backend(status, role))).collect() }
}

impl Scene {
    fn node(mut self, number: NodeNumber, reach: impl Into<Reach>) -> Scene {
        let reach = reach.into();
        let serves = reach.serving().is_some();
        self.view.nodes[number.index()].1 = reach;
        if !serves {
            self.details.retain(|(n, _)| *n != number);
            self.details
                .iter_mut()
                .for_each(|(_, details)| details.receivers.retain(|r| r.name != format!("pg{:02}", number.0 + 1)));
        }
        self
    }

    fn details(mut self, number: NodeNumber, change: impl FnOnce(&mut Details)) -> Scene {
        change(&mut self.details.iter_mut().find(|(n, _)| *n == number).expect("it serves").1);
        self
    }

    fn pool(mut self, view: Option<PoolView>) -> Scene {
        self.pool = view;
        self
    }

    fn report(&self) -> ClusterReport {
        let pools = [PoolOpinion { name: "pgpool01".into(), view: self.pool.clone() }];
        let cluster = cluster(self.mode);
        report(&Facts { cluster: &cluster, view: &self.view, details: &self.details, pools: &pools, paused: None })
    }

    /// The text, which fits whatever happens.
    fn text(&self) -> String {
        let text = status(&self.report(), Paint::Plain);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        text
    }

    fn codes(&self) -> Vec<&'static str> {
        self.report().problems.iter().map(|problem| problem.code).collect()
    }
}

fn cloning() -> Reach {
    Reach::Waiting(RoomState::cloning(43, 12 * 1024, Some(70)))
}

#[test]
fn all_is_well() {
    let scene = healthy();
    assert_eq!(scene.report().weight(), None);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn one_standby_is_down() {
    let pool =
        believes([(BackendStatus::Up, Role::Primary), (BackendStatus::Up, Role::Standby), (BackendStatus::Down, Role::Standby)]);
    let scene = healthy().node(PG03, silent()).pool(Some(pool));
    assert_eq!(scene.report().weight(), Some(Weight::Degraded));
    insta::assert_snapshot!(scene.text());
}

#[test]
fn no_primary() {
    let pool =
        believes([(BackendStatus::Down, Role::Standby), (BackendStatus::Up, Role::Standby), (BackendStatus::Up, Role::Standby)]);
    let scene = healthy().node(PG01, silent()).node(PG02, standby_of("pg01")).node(PG03, silent()).pool(Some(pool));
    assert_eq!(scene.report().weight(), Some(Weight::Broken));
    assert!(!scene.report().cluster.writable);
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_certificate_of_another_authority() {
    let scene = healthy().node(PG03, untrusted());
    let report = scene.report();
    let problem = report.problems.iter().find(|problem| problem.code == "node-untrusted").expect("it is named");
    assert_eq!(problem.text, "pg03 cannot be believed: the certificate CN=x was signed by CN=y");
    assert!(problem.fix.starts_with("give pg03 a certificate that the authority signed"), "{}", problem.fix);
    assert_eq!(report.weight(), Some(Weight::Degraded));
    // The upstream of living standbys is not replaced.
    let report = healthy().node(PG01, untrusted()).report();
    let said: Vec<&str> = report.problems.iter().map(|problem| problem.text.as_str()).collect();
    let blocked = "no node takes writes: nobody is promoted in the place of pg01, which answers and cannot be believed";
    assert_eq!(said, [blocked, "pg01 cannot be believed: the certificate CN=x was signed by CN=y"]);
}

#[test]
fn a_certificate_that_ends_soon_or_is_over() {
    const DAY_S: i64 = 86_400;
    let named = |left_s: i64| {
        let (subject, issuer, ends) = ("CN=pg02".into(), "CN=ca".into(), "2030-01-31 00:00:00 UTC".into());
        let certificate = Certificate { subject, issuer, names: vec!["pg02".into()], ends, ends_s: 1_896_048_000 };
        let report = healthy().details(PG02, |details| details.certificate = Some(InUse { certificate, left_s })).report();
        report.problems.into_iter().map(|problem| format!("{}: {}", problem.code, problem.text)).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(named(30 * DAY_S), "");
    insta::assert_snapshot!(named(30 * DAY_S - 1), @"certificate-ends: pg02: the certificate CN=pg02 ends in 29 days, on 2030-01-31 00:00:00 UTC");
    insta::assert_snapshot!(named(-1), @"certificate-ends: pg02: the certificate CN=pg02 is over since 2030-01-31 00:00:00 UTC");
}

/// pg01 was cut off, and is back; pgpool still sends the writes there.
#[test]
fn split_view() {
    let failover = Failover {
        epoch: Epoch(2),
        node: "pg02".into(),
        reason: "pgpool pgpool01 lost node 0".into(),
        at: "2026-11-25 17:20:11 UTC".into(),
    };
    let scene = healthy()
        .node(PG02, primary().epoch(2).timeline(2, &[(1, 0x100)]).at(0x200))
        .node(PG03, standby_of("pg02").keeps_up().epoch(2).timeline(2, &[(1, 0x100)]).at(0x200))
        .details(PG03, |details| details.replayed = Some(Lsn(0x200)))
        .details(PG02, |details| {
            details.replayed = None;
            details.receivers = vec![receiver("pg03")];
            details.repmgr = vec![row(PG01, None), row(PG02, None), row(PG03, Some(PG02))];
            details.last_failover = Some(failover);
        });
    assert_eq!(scene.report().cluster.primary.as_ref().map(|name| name.as_str()), Some("pg02"));
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_node_is_cloning() {
    let pool =
        believes([(BackendStatus::Up, Role::Primary), (BackendStatus::Up, Role::Standby), (BackendStatus::Down, Role::Standby)]);
    insta::assert_snapshot!(healthy().node(PG03, cloning()).pool(Some(pool)).text());
}

/// All three were killed; the former primary could not resume, and nobody may promote.
#[test]
fn parked() {
    let scene = Scene { mode: "manual", ..healthy() };
    let scene = scene.node(PG01, standby()).node(PG02, silent()).node(PG03, silent()).pool(None);
    assert_eq!(
        scene.codes(),
        ["no-primary", "node-parked", "node-unreachable", "node-unreachable", "pool-unreachable", "manual-failover"]
    );
    insta::assert_snapshot!(scene.text());
}

#[test]
fn pgpool_is_down() {
    let scene = healthy().pool(None);
    assert_eq!(scene.report().weight(), Some(Weight::Degraded));
    insta::assert_snapshot!(scene.text());
}

#[test]
fn commits_wait_for_standbys() {
    let pool =
        believes([(BackendStatus::Up, Role::Primary), (BackendStatus::Up, Role::Standby), (BackendStatus::Up, Role::Standby)]);
    let scene = healthy()
        .node(PG02, standby_of("pg01"))
        .node(PG03, silent())
        .details(PG01, |details| {
            details.receivers.clear();
            details.commits_waiting = 4;
        })
        .pool(Some(pool));
    assert_eq!(scene.report().weight(), Some(Weight::Broken));
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_promotion_is_under_way() {
    let scene = healthy().node(PG01, silent()).node(PG02, standby().promised(2)).node(PG03, standby().promised(2));
    assert_eq!(scene.report().nodes[1].state.word(), "frozen");
    insta::assert_snapshot!(scene.text());
}

#[test]
fn a_standby_that_lags() {
    let lag = |details: &mut Details| details.receivers[0].replay_lag_s = Some(41.0);
    let scene = healthy().node(PG01, primary().at(0x1000_0000)).node(PG03, standby_of("pg01").keeps_up().at(0x1000_0000));
    let scene = scene.details(PG03, |details| details.replayed = Some(Lsn(0xFFF_F000))).details(PG01, lag);
    let report = scene.report();
    assert_eq!((report.nodes[1].lag_bytes, report.nodes[1].lag_seconds), (Some(0x1000_0000 - 0x100), Some(41.0)));
    insta::assert_snapshot!(scene.text());
}

#[test]
fn what_contradicts_the_truth_is_named() {
    let rows = vec![row(PG01, None), row(PG02, Some(PG03))];
    let scene = healthy().details(PG01, |details| details.repmgr = rows);
    assert_eq!(scene.codes(), ["metadata-wrong", "metadata-missing"]);
    let elsewhere = believes([
        (BackendStatus::Down, Role::Standby),
        (BackendStatus::Up, Role::Primary),
        (BackendStatus::Unused, Role::Standby),
    ]);
    assert_eq!(healthy().pool(Some(elsewhere)).codes(), ["pool-wrong-primary", "pool-lacks-node", "pool-unused"]);
    let scene = healthy().node(PG02, standby_of("pg03").keeps_up()).node(PG03, standby_of("pg01").system(9));
    assert_eq!(scene.codes(), ["wrong-upstream", "other-cluster", "pool-sends-to-sick", "pool-sends-to-sick"]);
}

#[test]
fn the_schema_is_stable() {
    let text = serde_json::to_string_pretty(&healthy().report()).expect("plain data");
    insta::assert_snapshot!(text);
}

/// A code that nothing says is a lie in the documents.
#[test]
fn every_code_is_said_somewhere() {
    let source = include_str!("problems.rs");
    for code in CODES {
        let constant = code.word.to_uppercase().replace('-', "_");
        assert!(source.contains(&format!("codes::{constant}")), "{} is never said", code.word);
    }
}
