use super::{RawEnv, Snapshot, Source, wanted_files, without_newline};
use crate::spec::resolved;

fn snapshot(vars: &[(&str, &str)], files: &[(&str, &str)]) -> Snapshot {
    Snapshot {
        vars: vars.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        files: files.iter().map(|(name, content)| ((*name).into(), Ok((*content).into()))).collect(),
    }
}

fn source(snapshot: &Snapshot, name: &str) -> Option<(Option<String>, Source)> {
    let lines = resolved(&RawEnv::read(snapshot));
    lines.into_iter().find(|line| line.name == name).map(|line| (line.value, line.source))
}

#[test]
fn exactly_one_newline_goes() {
    let texts = ["a", "a\n", "a\r\n", "a\n\n", "a\r", "\n", ""];
    assert_eq!(texts.map(without_newline), ["a", "a", "a", "a\n", "a\r", "", ""]);
}

#[test]
fn files_are_wanted_by_name_and_alias_and_for_settings() {
    let vars = [
        ("REPMGRPWD_FILE", "/a"),
        ("PGMASTER_FILE", "/b"),
        ("TLS_CERT_FILE", "/c"),
        ("PGCONF_log_line_prefix_FILE", "/d"),
        ("PGCONF_SSL_CERT_FILE", "/e"),
        ("PGPOOL_PUBLISH_FILE", "/f"),
        ("OTHER_FILE", "/g"),
        ("MSLIST_FILE", ""),
    ];
    let wanted = wanted_files(&snapshot(&vars, &[]).vars);
    let wanted: Vec<_> = wanted.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
    assert_eq!(wanted, [("PGMASTER", "/b"), ("REPMGRPWD", "/a"), ("PGCONF_log_line_prefix", "/d")]);
}

#[test]
fn every_value_has_a_source() {
    let vars =
        [("PGMASTER", "pg01"), ("REPMGRPWD_FILE", "/run/s"), ("LOG_LEVEL", "debug"), ("MSLIST", ""), ("PGCONF_work_mem", "1MB")];
    let snapshot = snapshot(&vars, &[("REPMGRPWD", "geheim\n")]);
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(source(&snapshot, "PGMASTER_NODE_NAME"), Some((text("pg01"), Source::Alias("PGMASTER".into()))));
    assert_eq!(source(&snapshot, "REPMGRPWD"), Some((text("***"), Source::File("/run/s".into()))));
    assert_eq!(source(&snapshot, "LOG_LEVEL"), Some((text("debug"), Source::Env)));
    assert_eq!(source(&snapshot, "LOG_FORMAT"), Some((text("text"), Source::Default)));
    assert_eq!(source(&snapshot, "MSLIST"), Some((None, Source::Default)));
    assert_eq!(source(&snapshot, "PGCONF_work_mem"), Some((text("1MB"), Source::Env)));
}

#[test]
fn the_first_of_two_equal_names_counts() {
    let raw = RawEnv::read(&snapshot(&[("LOG_LEVEL", "debug"), ("LOG_LEVEL", "error")], &[]));
    assert_eq!(raw.cluster.log_level.as_deref(), Some("debug"));
    assert!(raw.is_given("LOG_LEVEL") && !raw.is_given("LOG_FORMAT"));
}
