//! The files of a database container.

use std::path::PathBuf;

use pgcluster::model::ParameterFloor;
use pgcluster::render::postgres_files;
use pgcluster::spec::owned::{Limit, OWNED_POSTGRES};
use pgcluster::spec::{FailoverMode, HostAuth, PostgresSpec, Secret, TlsFiles, Tune};

use super::build::{postgres, rules, setting, standalone};
use super::facts::postgres_facts;
use super::{body, difference, golden, goldens};

fn differs(case: &str, spec: &PostgresSpec) {
    differs_from(case, &postgres(3, 1), spec);
}

fn differs_from(case: &str, base: &PostgresSpec, spec: &PostgresSpec) {
    let files = |spec| postgres_files(spec, &postgres_facts()).expect("renders");
    golden(case, &difference(&files(base), &files(spec)));
}

#[test]
fn pg02_of_three() {
    goldens("pg02", &postgres_files(&postgres(3, 1), &postgres_facts()).expect("renders"));
}

#[test]
fn standalone_is_like_the_official_image() {
    let files = postgres_files(&standalone(), &postgres_facts()).expect("renders");
    goldens("standalone", &files[..3]);
    assert!(!files.iter().any(|file| file.path.ends_with("pgpass")), "nobody gave REPMGRPWD");
}

#[test]
fn standalone_with_trust() {
    let mut spec = standalone();
    spec.host_auth = HostAuth::Trust;
    differs_from("standalone_trust", &standalone(), &spec);
}

#[test]
fn two_nodes_are_asynchronous() {
    differs("two_nodes", &postgres(2, 1));
}

#[test]
fn five_nodes_wait_for_two() {
    differs("five_nodes", &postgres(5, 1));
}

#[test]
fn repmgrd_promotes() {
    let mut spec = postgres(3, 1);
    spec.cluster.failover = FailoverMode::Repmgrd;
    spec.settings = vec![setting("shared_preload_libraries", "pg_stat_statements, auto_explain")];
    differs("repmgrd", &spec);
}

#[test]
fn everything_the_operator_can_change() {
    let mut spec = postgres(3, 1);
    spec.cluster.database = "Main DB".into();
    spec.cluster.nodes[0].host = "10.0.0.7".into();
    spec.cluster.nodes[2].host = "fd00::3".into();
    spec.superuser.name = "admin".into();
    spec.archive_dir = Some("/u02/archive".into());
    spec.client_networks = vec!["samenet".into(), "10.1.0.0/16".into()];
    spec.settings = vec![setting("search_path", "\"$user\", it's \\ \n"), setting("work_mem", "32MB")];
    spec.tune = Tune::Off;
    let [cert, key, ca] = ["/etc/tls/crt.pem", "/etc/tls/key.pem", "/etc/tls/ca.pem"].map(PathBuf::from);
    spec.cluster.tls = Some(TlsFiles { cert, key, ca: Some(ca) });
    let mut facts = postgres_facts();
    facts.conf_d = false;
    facts.tls.ca = Some("/etc/tls/ca.pem".into());
    facts.hba_d = vec![rules("10-backup.conf", "hostssl all backup 10.2.0.0/16 cert\n"), rules("20.conf", "# nothing\n\n")];
    let base = postgres_files(&postgres(3, 1), &postgres_facts()).expect("renders");
    golden("operator", &difference(&base, &postgres_files(&spec, &facts).expect("renders")));
}

/// Reliability E7: with less than the primary a standby does not start.
#[test]
fn nothing_falls_below_the_primary() {
    let mut spec = postgres(3, 1);
    spec.settings = vec![setting("max_connections", "100"), setting("max_wal_senders", "50")];
    let mut facts = postgres_facts();
    facts.minimums = ParameterFloor {
        max_connections: 400,
        max_worker_processes: 32,
        max_wal_senders: 20,
        max_prepared_transactions: 5,
        max_locks_per_transaction: 128,
    };
    let base = postgres_files(&postgres(3, 1), &postgres_facts()).expect("renders");
    golden("floor", &difference(&base, &postgres_files(&spec, &facts).expect("renders")));
}

#[test]
fn passwords_of_every_kind_survive_in_pgpass_and_nowhere_else() {
    let mut spec = postgres(3, 1);
    spec.cluster.repmgr_password = Some(Secret::new(r#"a:b\c'd"e $f`g#h ü"#));
    let files = postgres_files(&spec, &postgres_facts()).expect("renders");
    assert!(body(&files, "pgpass").contains(r#"pg01:5432:*:repmgr:a\:b\\c'd"e $f`g#h ü"#), "{}", body(&files, "pgpass"));
    assert!(files.iter().filter(|file| !file.path.ends_with("pgpass")).all(|file| !file.body.contains("$f`g")));
}

#[test]
fn a_bad_setting_is_named() {
    let mut spec = postgres(3, 1);
    spec.settings = vec![setting("application_name", "a\0b")];
    let error = postgres_files(&spec, &postgres_facts()).expect_err("NUL cannot be written");
    assert!(format!("{error:#}").starts_with("PGCONF_application_name: "), "{error:#}");
}

/// What stands after the operator's bands must be what the environment refuses: nobody is overruled in silence.
#[test]
fn only_what_is_refused_stands_after_the_operators_bands() {
    let mut spec = postgres(3, 1);
    spec.archive_dir = Some("/u02/archive".into());
    let files = postgres_files(&spec, &postgres_facts()).expect("renders");
    let (before, after) = body(&files, "postgresql.conf").split_once("# ── pgcluster's own").expect("has the band");
    let names = |text: &str| -> Vec<String> {
        let settings = text.lines().filter(|line| !line.starts_with('#'));
        settings.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.to_owned()).collect()
    };
    let owner = |name: &str| OWNED_POSTGRES.iter().find(|owned| owned.name == name || family(owned.name, name));
    for name in names(after) {
        assert!(owner(&name).is_some(), "{name} overrules PGCONF_{name}, which the environment accepts");
    }
    for name in names(before) {
        assert!(owner(&name).is_none_or(|owned| owned.limit != Limit::Whole), "{name} is refused but can be changed in conf.d");
    }
}

fn family(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix))
}
