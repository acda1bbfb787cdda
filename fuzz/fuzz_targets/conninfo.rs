//! Connection strings: what we write is read back by us, and what others wrote never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::model::conninfo_value;
use pgcluster::render::quote::{conninfo, pgpass_line, postgresql_conf, sql_identifier, sql_literal};
use pgcluster_fuzz::texts;

fuzz_target!(|input: &str| {
    let [first, second] = texts(input);
    if let Some(value) = conninfo_value(first, "host") {
        assert!(!value.is_empty(), "empty means absent");
    }
    match conninfo(&[("user", first), ("host", second), ("port", "5432")]) {
        Ok(text) => {
            let given = |value: &str| (!value.is_empty()).then(|| value.to_owned());
            assert_eq!(conninfo_value(&text, "user"), given(first));
            assert_eq!(conninfo_value(&text, "host"), given(second));
            assert_eq!(conninfo_value(&text, "port").as_deref(), Some("5432"));
            assert_eq!(conninfo_value(&text, "password"), None, "no value smuggles a parameter in");
        }
        Err(_) => assert!(first.contains('\0') || second.contains('\0')),
    }
    // One line each, whatever it holds; in SQL no quote is left that could end it early.
    if let Ok(line) = pgpass_line(first, "5432", "*", "repmgr", second) {
        assert!(!line.contains(['\n', '\r', '\0']) && !line.starts_with('#'));
    }
    if let Ok(written) = postgresql_conf(first) {
        assert!(!written.contains(['\n', '\r', '\0']));
        assert!(!written[1..written.len() - 1].replace("''", "").contains('\''));
    }
    if let Ok(literal) = sql_literal(first) {
        let inside = literal.trim_start_matches('E');
        assert!(!inside[1..inside.len() - 1].replace("''", "").contains('\''));
        assert!(literal.starts_with('E') == first.contains('\\'));
    }
    if let Ok(name) = sql_identifier(second) {
        assert!(!name[1..name.len() - 1].replace("\"\"", "").contains('"') && second.len() <= 63);
    }
});
