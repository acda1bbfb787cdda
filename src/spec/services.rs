//! `MSLIST` and the passwords that go with it.

use super::list::{NotAList, items};
use super::raw::RawEnv;
use super::types::{RolePassword, Service};
use super::values::choice;
use super::violation::{Violation, Violations};
use super::{Secret, password};

/// Names that would make roles which something else owns.
const RESERVED: &[&str] = &["postgres", "repmgr", "pgpool", "pgcluster", "pg"];

const JSON_HINT: &str = "a list that begins with [ must be a JSON array of strings: [\"one\",\"two\"]";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Generate,
    RoleName,
}

/// The services with their passwords.
pub(super) fn services(raw: &RawEnv) -> Result<Vec<Service>, Violations> {
    let mut found = Violations::default();
    let text = raw.cluster.ms_default_passwords.as_deref().unwrap_or("generate");
    let words = [("generate", Missing::Generate), ("role-name", Missing::RoleName)];
    let missing = found.take(choice("MS_DEFAULT_PASSWORDS", text, &words)).unwrap_or(Missing::Generate);
    let names = match raw.cluster.mslist.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => found.take(parse_names(text)),
        None => (!raw.is_broken("MSLIST")).then(Vec::new),
    };
    let lists = [("MSOWNERPWDLIST", &raw.cluster.msownerpwdlist), ("MSUSERPWDLIST", &raw.cluster.msuserpwdlist)];
    let [owners, users] = lists.map(|(variable, text)| {
        let given = found.take(parse_passwords(variable, text.as_deref()?, names.as_deref()));
        Some(given.unwrap_or_default())
    });
    let services = names.map(|names| {
        let one = |(index, name): (usize, String)| Service {
            owner_password: password_of(owners.as_deref(), index, format!("{name}_owner"), missing),
            user_password: password_of(users.as_deref(), index, format!("{name}_user"), missing),
            name,
        };
        names.into_iter().enumerate().map(one).collect()
    });
    found.or(services)
}

fn password_of(given: Option<&[Secret]>, index: usize, role: String, missing: Missing) -> RolePassword {
    match (given.and_then(|given| given.get(index)), missing) {
        (Some(password), _) => RolePassword::Given(password.clone()),
        (None, Missing::Generate) => RolePassword::Generate,
        (None, Missing::RoleName) => RolePassword::Given(Secret::new(role)),
    }
}

/// `MSLIST`: trimmed names of the grammar, each once.
pub(super) fn parse_names(text: &str) -> Result<Vec<String>, Violations> {
    let broken = |rule: String, hint: &str| Violation::of("MSLIST", text, rule, hint);
    let items = items(text).map_err(|NotAList| broken("not a JSON array of strings".to_owned(), JSON_HINT))?;
    let mut found = Violations::default();
    let mut names: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let name = item.trim();
        let item = format!("item {} \"{}\"", index + 1, name.escape_debug());
        if name.is_empty() {
            found.add(broken(format!("item {} is empty", index + 1), "remove the extra comma"));
        } else if !is_service_name(name) {
            let hint = "a name is a lower-case letter followed by at most 55 of a-z, 0-9 and _";
            found.add(broken(format!("{item} is not a service name"), hint));
        } else if RESERVED.contains(&name) || name.starts_with("pg_") {
            found.add(broken(format!("{item} is a reserved name"), "choose another name for the service"));
        } else if names.iter().any(|other| other == name) {
            found.add(broken(format!("{item} is there twice"), "name every service once"));
        } else {
            names.push(name.to_owned());
        }
    }
    found.or(Some(names))
}

/// `^[a-z][a-z0-9_]{0,55}$`: with `_owner` it still fits 63 bytes.
fn is_service_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && name.len() <= 56
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// One password per service. Messages count items and never show them.
fn parse_passwords(variable: &str, text: &str, names: Option<&[String]>) -> Result<Vec<Secret>, Violations> {
    let broken = |rule: String, hint: &str| Violation::new(variable, rule, hint);
    let items = items(text).map_err(|NotAList| broken("not a JSON array of strings".to_owned(), JSON_HINT))?;
    if let Some(names) = names.filter(|names| names.len() != items.len()) {
        let rule = format!("the list has length {}, and MSLIST has length {}", items.len(), names.len());
        let hint = "give one password per service, in the order of MSLIST; for a comma inside a password use a JSON array: [\"a,b\",\"c\"]";
        return Err(broken(rule, hint).into());
    }
    let mut found = Violations::default();
    for (index, item) in items.iter().enumerate() {
        if let Err((rule, hint)) = password::through_pgpool(item) {
            found.add(broken(format!("password {}: {rule}", index + 1), hint));
        }
    }
    found.or(Some(items.into_iter().map(Secret::new).collect()))
}

#[cfg(test)]
mod tests {
    use super::{parse_names, parse_passwords};

    fn passwords(text: &str) -> Option<Vec<String>> {
        let given = parse_passwords("MSOWNERPWDLIST", text, None).ok()?;
        Some(given.iter().map(|secret| secret.expose().to_owned()).collect())
    }

    #[test]
    fn csv_keeps_every_byte_between_commas() {
        assert_eq!(passwords(r#"a\,"b" , c]"#), Some(vec![r"a\".into(), r#""b" "#.into(), " c]".into()]));
    }

    #[test]
    fn json_may_hold_commas() {
        assert_eq!(passwords(r#" ["a,b", "c\\d\"e"] "#), Some(vec!["a,b".into(), r#"c\d"e"#.into()]));
        assert_eq!(passwords(r#"["a"#), None);
        assert_eq!(passwords(r#"["a", ""]"#), None);
        assert_eq!(passwords(r#"["a"] b"#), None);
    }

    #[test]
    fn names_are_trimmed_and_bounded() {
        assert_eq!(parse_names(" orders ,\n billing_2").ok(), Some(vec!["orders".into(), "billing_2".into()]));
        assert!(parse_names(&"s".repeat(56)).is_ok());
        for text in ["1a", "_a", "A", "a-b", "pg_a", "pg", "postgres", "ä", "a b", "[]x"] {
            assert!(parse_names(text).is_err(), "{text}");
        }
    }
}
