use std::time::Duration;

use super::{directory, duration, is_host, networks, shell_words, sql_name};

#[test]
fn durations_have_three_units() {
    let seconds = |text| duration("FAILOVER_AFTER", text, 0..=7200).ok().map(|duration: Duration| duration.as_secs());
    assert_eq!(["10", "10s", " 10 s", "1min", "2h"].map(seconds), [Some(10), Some(10), Some(10), Some(60), Some(7200)]);
    for text in ["", "s", "-1", "+1", "1.5s", "1m", "1ms", "3h", "99999999999999999999", "18446744073709551615h"] {
        assert_eq!(seconds(text), None, "{text}");
    }
}

#[test]
fn words_are_split_as_by_a_shell() {
    let words = |text| shell_words(text).map(|words| words.join("|"));
    assert_eq!(words("").as_deref(), Some(""));
    assert_eq!(words("  --a=1\t-b\n'c d'").as_deref(), Some("--a=1|-b|c d"));
    assert_eq!(words(r#"x"a 'b' \" \n"y z\ 1"#).as_deref(), Some(r#"xa 'b' " \ny|z 1"#));
    assert_eq!(words("a '' b").as_deref(), Some("a||b"));
    assert_eq!(["'a", "\"a", "a\\"].map(words), [None, None, None]);
}

#[test]
fn hosts_need_no_quoting() {
    assert!(["pg01", "tasks.pg_01", "10.0.0.3", "A-b.example.com"].into_iter().all(is_host));
    assert!(!["", "-x", ".x", "a b", "a;b", "a$b", "a\n", "ä", "a/b", "[fd00::1]"].into_iter().any(is_host));
}

#[test]
fn networks_are_those_of_pg_hba() {
    assert!(networks("PG_CLIENT_NETWORKS", "samenet, 10.0.0.0/8,fd00::/8,0.0.0.0/0,all,samehost").is_ok());
    for text in ["", "10.0.0.0/", "10.0.0.0/+8", "fd00::/129", "10.0.0/8", ".example.com", "all,"] {
        assert!(networks("PG_CLIENT_NETWORKS", text).is_err(), "{text}");
    }
}

#[test]
fn a_directory_loses_its_last_slash() {
    assert_eq!(directory("PGDATA", "/u01/data//").ok(), Some("/u01/data".into()));
    for text in ["//", "/a/../b", "/a b", "/a'b", "a", "/ä"] {
        assert!(directory("PGDATA", text).is_err(), "{text}");
    }
}

#[test]
fn names_fit_every_file_that_they_get_into() {
    assert!(["app", "My-App", "a.b", "x@y"].into_iter().all(|name| sql_name("POSTGRES_USER", name).is_ok()));
    for name in ["", " ", "a\"b", "a:b", "ä", "pg_x", "repmgr", "a\nb", " a"] {
        assert!(sql_name("POSTGRES_USER", name).is_err(), "{name:?}");
    }
}
