//! The files of a pgpool container.

use std::net::IpAddr;

use pgcluster::render::{NodeStatus, PoolUser, pgpool_files};
use pgcluster::spec::{BackendFlag, FailoverMode, PgpoolSpec, RolePassword, Secret, UnknownUsers};

use super::build::{pgpool, service, setting, watchdog};
use super::facts::pgpool_facts;
use super::{body, difference, golden, goldens};

fn differs(case: &str, version: (u32, u32), spec: &PgpoolSpec) {
    let files =
        |spec: &PgpoolSpec, version| pgpool_files(spec, &pgpool_facts(version, spec.cluster.nodes.len())).expect("renders");
    golden(case, &difference(&files(&pgpool(3), (4, 6)), &files(spec, version)));
}

#[test]
fn pgpool_of_three_nodes() {
    goldens("pgpool", &pgpool_files(&pgpool(3), &pgpool_facts((4, 6), 3)).expect("renders"));
}

#[test]
fn names_of_other_versions() {
    differs("pgpool_4_3", (4, 3), &pgpool(3));
    differs("pgpool_4_7", (4, 7), &pgpool(3));
}

#[test]
fn watchdog_of_three_with_an_address() {
    let mut spec = pgpool(3);
    spec.watchdog = Some(watchdog(3, Some("172.18.0.100".parse().expect("address"))));
    differs("watchdog", (4, 6), &spec);
}

#[test]
fn watchdog_of_two_without_address_on_4_3() {
    let mut spec = pgpool(3);
    spec.watchdog = Some(watchdog(2, None::<IpAddr>));
    differs("watchdog_4_3", (4, 3), &spec);
}

#[test]
fn manual_and_repmgrd_have_no_command() {
    for (case, mode) in [("pgpool_manual", FailoverMode::Manual), ("pgpool_repmgrd", FailoverMode::Repmgrd)] {
        let mut spec = pgpool(3);
        spec.cluster.failover = mode;
        differs(case, (4, 6), &spec);
    }
}

#[test]
fn everything_the_operator_can_change() {
    let mut spec = pgpool(1);
    spec.cluster.nodes[0].weight = 0.25;
    spec.cluster.nodes[0].flag = BackendFlag::DisallowToFailover;
    spec.unknown_users = UnknownUsers::Reject;
    spec.client_networks = vec!["samenet".into(), "10.1.0.0/16".into()];
    spec.settings = vec![setting("num_init_children", "20"), setting("reset_query_list", "ABORT; DISCARD ALL")];
    differs("pgpool_operator", (4, 6), &spec);
}

#[test]
fn status_has_a_line_for_every_backend() {
    let mut facts = pgpool_facts((4, 6), 3);
    facts.node_status = vec![NodeStatus::Down, NodeStatus::Up, NodeStatus::Unused];
    assert_eq!(body(&pgpool_files(&pgpool(3), &facts).expect("renders"), "pgpool_status"), "down\nup\nunused\n");
    facts.node_status.pop();
    let error = pgpool_files(&pgpool(3), &facts).expect_err("one is missing");
    assert_eq!(error.to_string(), "pgpool_status needs one line per backend: 2 of 3 known");
}

#[test]
fn hostile_names_and_passwords() {
    let mut spec = pgpool(3);
    let long = "x".repeat(100);
    spec.cluster.services =
        vec![service("orders", RolePassword::Given(Secret::new(long)), RolePassword::Given(Secret::new(r"a:b\c'd")))];
    spec.pcp_password = Secret::new(r"p:\'");
    let mut facts = pgpool_facts((4, 6), 3);
    facts.users = vec![PoolUser { name: "Ad: min,\\".into(), password: Secret::new("pw") }];
    let files = pgpool_files(&spec, &facts).expect("renders");
    let read = |name| format!("{name}\n{}\n", body(&files, name));
    golden("pgpool_hostile", &["pool_passwd", "known_users", "pcp.conf", "pcppass"].map(read).join("\n"));
}

#[test]
fn a_password_that_pgpool_would_cut_is_refused_by_role() {
    let mut spec = pgpool(3);
    spec.cluster.services = vec![service("orders", RolePassword::Given(Secret::new("x".repeat(125))), RolePassword::Generate)];
    let error = format!("{:#}", pgpool_files(&spec, &pgpool_facts((4, 6), 3)).expect_err("too long"));
    assert!(error.starts_with("write role orders_owner to pool_passwd: "), "{error}");
    assert!(!error.contains("xxx"), "{error}");
}

/// pgpool only whispers about names it does not know.
#[test]
fn every_name_is_one_that_this_version_knows() {
    let mut spec = pgpool(3);
    spec.watchdog = Some(watchdog(3, Some("172.18.0.100".parse().expect("address"))));
    for minor in 3..=7 {
        let files = pgpool_files(&spec, &pgpool_facts((4, minor), 3)).expect("renders");
        let mut names = 0;
        for line in body(&files, "pgpool.conf").lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let name = line.split(" = ").next().unwrap_or(line);
            assert!(knows(minor, name), "pgpool 4.{minor} does not know {name}");
            names += 1;
        }
        assert!(names > 90, "only {names} settings were looked at");
    }
}

fn knows(minor: u32, name: &str) -> bool {
    let table = include_str!("pgpool-names.txt");
    let array = name.trim_end_matches(|c: char| c.is_ascii_digit());
    table.lines().filter(|line| !line.starts_with('#')).any(|line| {
        let mut columns = line.split(' ');
        let listed = columns.next().expect("name");
        let minors: Vec<u32> = columns.map(|version| version[2..].parse().expect("4.x")).collect();
        (listed == name || listed == array) && (minors[0]..=minors[1]).contains(&minor)
    })
}
