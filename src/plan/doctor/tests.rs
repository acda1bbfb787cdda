//! A healthy cluster has no finding; each fault has its own, and no other.

use std::collections::BTreeSet;

use super::{Severity, checks, codes, examine};
use crate::model::{
    Certificate, Checkup, ContainerFacts, DatabaseContainer, HbaRule, InUse, NodeCheckup, NodeNumber, ParameterFloor, PoolFacts,
    Problem, ServerFacts, Slot, Weight,
};
use crate::plan::diagnose::codes as of_status;

const DAY_S: i64 = 86_400;

fn rule(line: i32, kind: &str, address: &str, method: &str) -> HbaRule {
    HbaRule { line, kind: kind.into(), address: address.into(), method: method.into() }
}

fn server(is_standby: bool) -> ServerFacts {
    let settings = [
        ("pgcluster.nodes", "0:pg01:5432 1:pg02:5432"),
        ("ssl", "on"),
        ("password_encryption", "scram-sha-256"),
        ("log_statement", "none"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("synchronous_standby_names", "ANY 1 (\"pg02\")"),
        ("restart_after_crash", "off"),
        ("wal_sender_timeout", "5000"),
        ("wal_receiver_timeout", "5000"),
        ("data_checksums", "on"),
        ("wal_log_hints", "on"),
        ("max_slot_wal_keep_size", "4096"),
    ];
    ServerFacts {
        is_standby,
        version: 170012,
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        floor: ParameterFloor::from_values([300, 16, 13, 0, 64]),
        hba: vec![
            rule(1, "local", "", "peer"),
            rule(2, "host", "127.0.0.1", "trust"),
            rule(3, "host", "all", "reject"),
            rule(4, "hostssl", "samenet", "scram-sha-256"),
        ],
        slots: vec![Slot { name: "repmgr_slot_2".into(), is_active: false, wal_status: "reserved".into() }],
        sessions: (20, 290),
        pid1: "docker-init".into(),
        ..ServerFacts::default()
    }
}

fn node(name: &str, address: &str, is_standby: bool) -> NodeCheckup {
    NodeCheckup {
        name: name.into(),
        host: name.into(),
        addresses: Ok(vec![address.into()]),
        serves: true,
        server: Some(server(is_standby)),
    }
}

fn certificate(name: &str) -> InUse {
    let certificate = Certificate {
        subject: format!("CN={name}"),
        issuer: "CN=ca".into(),
        names: vec![name.into()],
        ends: "2030-01-31 00:00:00 UTC".into(),
        ends_s: 1_896_048_000,
    };
    InUse { certificate, left_s: 300 * DAY_S }
}

/// Seen from a container that is both images at once, so that no check is skipped.
fn healthy() -> Checkup {
    let pool = [
        ("num_init_children", "62"),
        ("max_pool", "4"),
        ("sr_check_period", "0"),
        ("auto_failback", "off"),
        ("failover_on_backend_error", "on"),
        ("memory_cache_enabled", "off"),
        ("pcp_listen_addresses", "127.0.0.1"),
    ];
    Checkup {
        roster: "0:pg01:5432 1:pg02:5432".into(),
        is_cluster: true,
        is_sync: true,
        nodes: vec![node("pg01", "10.0.0.1:5432", false), node("pg02", "10.0.0.2:5432", true)],
        here: ContainerFacts {
            certificate: Some(certificate("pg01")),
            is_certificate_given: true,
            host: Some("pg01".into()),
            authorities: vec![certificate("ca")],
            database: Some(DatabaseContainer { name: "pg01".into(), shm_bytes: 256 << 20, disk: (50 << 30, 100 << 30) }),
            ..ContainerFacts::default()
        },
        pool: Some(PoolFacts {
            name: "pgpool01".into(),
            version: Some((4, 6, 1)),
            settings: pool.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            pools: 1,
            ..PoolFacts::default()
        }),
    }
}

/// Codes of everything that is not in order, each once.
fn found(checkup: &Checkup, problems: &[Problem]) -> Vec<&'static str> {
    let mut codes: Vec<&str> =
        examine(checkup, problems).iter().filter(|finding| finding.severity > Severity::Ok).map(|finding| finding.code).collect();
    // One line per node.
    codes.dedup();
    codes
}

fn first(checkup: &mut Checkup) -> &mut ServerFacts {
    checkup.nodes[0].server.as_mut().expect("a server")
}

fn second(checkup: &mut Checkup) -> &mut ServerFacts {
    checkup.nodes[1].server.as_mut().expect("a server")
}

fn set(checkup: &mut Checkup, name: &str, value: &str) {
    first(checkup).settings.insert(name.into(), value.into());
}

fn pool(checkup: &mut Checkup) -> &mut PoolFacts {
    checkup.pool.as_mut().expect("a pool")
}

fn pool_set(checkup: &mut Checkup, name: &str, value: &str) {
    pool(checkup).settings.insert(name.into(), value.into());
}

fn here(checkup: &mut Checkup) -> &mut DatabaseContainer {
    checkup.here.database.as_mut().expect("a database container")
}

fn hba(checkup: &mut Checkup, kind: &str, address: &str, method: &str) {
    first(checkup).hba.push(rule(9, kind, address, method));
}

fn slot(checkup: &mut Checkup, name: &str, wal_status: &str) {
    first(checkup).slots = vec![Slot { name: name.into(), is_active: false, wal_status: wal_status.into() }];
}

type Fault = (&'static str, fn(&mut Checkup));

const FAULTS: &[Fault] = &[
    ("name-unresolved", |c| c.nodes[1].addresses = Err("no such name".into())),
    ("names-collide", |c| c.nodes[1].addresses = Ok(vec!["10.0.0.9:5432".into(), "10.0.0.1:5432".into()])),
    ("not-examined", |c| c.nodes[1].server = None),
    ("list-differs", |c| set(c, "pgcluster.nodes", "0:pg01:5432")),
    ("clock-skew", |c| first(c).skew_ms = -2001),
    ("version-old", |c| c.nodes.iter_mut().flat_map(|node| &mut node.server).for_each(|server| server.version = 170007)),
    ("version-old", |c| c.nodes.iter_mut().flat_map(|node| &mut node.server).for_each(|server| server.version = 130023)),
    ("versions-differ", |c| first(c).version = 170013),
    ("hba-trust", |c| hba(c, "hostssl", "samenet", "trust")),
    ("hba-weak", |c| hba(c, "hostssl", "samenet", "md5")),
    ("hba-open", |c| hba(c, "hostssl", "0.0.0.0", "scram-sha-256")),
    ("hba-plain", |c| hba(c, "host", "samenet", "scram-sha-256")),
    ("hba-error", |c| first(c).bad_hba = vec!["pg_hba.conf line 3: invalid".into()]),
    ("tls-off", |c| set(c, "ssl", "off")),
    ("authority-ends", |c| c.here.authorities[0].left_s = 29 * DAY_S),
    ("authority-ends", |c| c.here.authorities[0].left_s = -1),
    ("certificate-name", |c| c.here.host = Some("pg02".into())),
    ("passwords-md5", |c| set(c, "password_encryption", "md5")),
    ("role-md5", |c| first(c).md5_roles = vec!["app".into()]),
    ("superuser-extra", |c| first(c).superusers = vec!["admin".into()]),
    ("statements-logged", |c| set(c, "log_statement", "ddl")),
    ("fsync-off", |c| set(c, "full_page_writes", "off")),
    ("commit-not-sync", |c| set(c, "synchronous_commit", "local")),
    ("sync-names", |c| set(c, "synchronous_standby_names", "")),
    ("crash-restart", |c| set(c, "restart_after_crash", "on")),
    ("silence-unseen", |c| set(c, "wal_receiver_timeout", "0")),
    ("no-checksums", |c| set(c, "data_checksums", "off")),
    ("standby-smaller", |c| second(c).floor.max_connections = 299),
    ("pending-restart", |c| first(c).pending_restart = vec!["wal_log_hints".into()]),
    ("setting-error", |c| first(c).bad_settings = vec!["work_men: unrecognized".into()]),
    ("slot-stranger", |c| slot(c, "debezium", "reserved")),
    ("slot-lost", |c| slot(c, "repmgr_slot_2", "lost")),
    ("slot-unbounded", |c| set(c, "max_slot_wal_keep_size", "-1")),
    ("archive-fails", |c| first(c).unarchived = Some("000000010000000000000007".into())),
    ("collation-changed", |c| first(c).old_collations = vec!["phoenix".into()]),
    ("wraparound", |c| first(c).oldest_xid_age = 1_000_000_001),
    ("sessions-full", |c| first(c).sessions = (262, 290)),
    ("no-init", |c| first(c).pid1 = "postgres".into()),
    ("orphans", |c| c.here.orphans = vec!["sleep (41)".into()]),
    ("health-silent", |c| c.here.health_silent_s = 61),
    ("shm-small", |c| here(c).shm_bytes = 64 << 20),
    ("disk-low", |c| here(c).disk = (9 << 30, 100 << 30)),
    ("wal-room", |c| here(c).disk = (3 << 30, 20 << 30)),
    ("secret-in-environment", |c| c.here.plain_secrets = vec!["REPMGRPWD".into()]),
    ("file-mode", |c| c.here.loose_files = vec!["/run/pgcluster/pgpass has mode 0644".into()]),
    ("pool-version-old", |c| pool(c).version = Some((4, 6, 0))),
    ("pool-version-old", |c| pool(c).version = Some((4, 1, 21))),
    ("pool-login", |c| pool(c).login_error = Some("no answer".into())),
    ("pool-certificate-ends", |c| c.here.certificate.as_mut().expect("a certificate").left_s = 29 * DAY_S),
    ("pool-trust", |c| pool(c).trusting_lines = vec!["host all all all trust".into()]),
    ("pool-children", |c| pool(c).pools = 2),
    ("pool-sr-check", |c| pool_set(c, "sr_check_period", "10")),
    ("pool-failback", |c| pool_set(c, "auto_failback", "on")),
    ("pool-slow", |c| pool_set(c, "failover_on_backend_error", "off")),
    ("pool-cache", |c| pool_set(c, "memory_cache_enabled", "on")),
    ("pool-pcp-open", |c| pool_set(c, "pcp_listen_addresses", "*")),
];

#[test]
fn a_healthy_cluster_has_no_finding() {
    assert_eq!(found(&healthy(), &[]), Vec::<&str>::new());
    assert!(examine(&healthy(), &[]).iter().all(|finding| finding.severity == Severity::Ok), "nothing is skipped here");
}

#[test]
fn each_fault_is_found_as_itself_and_nothing_else() {
    for (code, fault) in FAULTS {
        let mut checkup = healthy();
        fault(&mut checkup);
        assert_eq!(found(&checkup, &[]), [*code]);
    }
}

#[test]
fn without_checksums_hints_are_what_a_rewind_needs() {
    let mut checkup = healthy();
    set(&mut checkup, "data_checksums", "off");
    set(&mut checkup, "wal_log_hints", "off");
    assert_eq!(found(&checkup, &[]), ["no-rewind", "no-checksums"]);
}

#[test]
fn every_code_has_a_check_and_every_check_a_fault() {
    let checked: Vec<&str> = checks().map(|check| check.code.word).collect();
    assert_eq!(checked.iter().collect::<BTreeSet<_>>(), codes::CODES.iter().map(|code| &code.word).collect());
    assert_eq!(checked.len(), codes::CODES.len(), "a code has one check");
    let unseeded: Vec<&&str> = checked.iter().filter(|word| FAULTS.iter().all(|(code, _)| code != *word)).collect();
    assert_eq!(unseeded, [&"no-rewind"], "it has a test of its own");
}

#[test]
fn what_needs_another_container_is_skipped() {
    let mut checkup = healthy();
    checkup.pool = None;
    checkup.here.database = None;
    let skipped = examine(&checkup, &[]).into_iter().filter(|finding| finding.severity == Severity::Skipped);
    assert!(
        skipped
            .map(|finding| finding.code)
            .all(|code| code.starts_with("pool-") || ["certificate-name", "shm-small", "disk-low", "wal-room"].contains(&code))
    );
    assert_eq!(found(&checkup, &[]), Vec::<&str>::new());
}

#[test]
fn a_generated_certificate_may_have_any_name() {
    let mut checkup = healthy();
    checkup.here.is_certificate_given = false;
    checkup.here.host = Some("pg02".into());
    assert_eq!(found(&checkup, &[]), Vec::<&str>::new());
}

/// The contract of the official image: any network, TLS or not, unless it asks for no password.
#[test]
fn a_single_node_may_be_open() {
    let mut checkup = healthy();
    checkup.nodes.truncate(1);
    checkup.is_cluster = false;
    checkup.is_sync = false;
    checkup.pool = None;
    first(&mut checkup).slots.clear();
    hba(&mut checkup, "host", "all", "scram-sha-256");
    set(&mut checkup, "ssl", "off");
    set(&mut checkup, "max_slot_wal_keep_size", "-1");
    assert_eq!(found(&checkup, &[]), Vec::<&str>::new());
    hba(&mut checkup, "host", "all", "trust");
    assert_eq!(found(&checkup, &[]), ["hba-trust"]);
}

fn problem(code: of_status::Code, node: u32) -> Problem {
    Problem { code: code.word, text: "seen".into(), fix: "fix".into(), weight: code.weight, node: Some(NodeNumber(node)) }
}

#[test]
fn problems_of_status_are_findings_unless_a_check_knows_better() {
    let away = problem(of_status::NODE_UNREACHABLE, 1);
    assert_eq!(found(&healthy(), std::slice::from_ref(&away)), ["node-unreachable"]);
    let mut nameless = healthy();
    nameless.nodes[1].addresses = Err("no such name".into());
    assert_eq!(found(&nameless, &[away]), ["name-unresolved"]);
    let mut lonely = healthy();
    set(&mut lonely, "synchronous_standby_names", "");
    assert_eq!(found(&lonely, &[problem(of_status::COMMITS_WAIT, 0)]), ["sync-names"]);
}

#[test]
fn notes_come_last_and_do_not_count_as_warnings() {
    let mut checkup = healthy();
    set(&mut checkup, "fsync", "off");
    let mut problem = problem(of_status::MANUAL_FAILOVER, 0);
    problem.weight = Weight::Notice;
    assert_eq!(found(&checkup, &[problem.clone()]), ["fsync-off", "manual-failover"]);
    let severities: Vec<Severity> = examine(&healthy(), &[problem]).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities[0], Severity::Note);
}
