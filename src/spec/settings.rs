//! `PGCONF_<guc>` and `PGPOOL_<parameter>`: any parameter but those that pgcluster owns.

use super::owned::{Limit, OWNED_PGPOOL, OWNED_POSTGRES, Owned, owner};
use super::pgpool_parameters::{LATER, NUMBERED, PGPOOL_PARAMETERS, RENAMED, VERSIONS, Version};
use super::raw::{FamilyVar, RawEnv};
use super::types::{Replication, Setting};
use super::typo;
use super::violation::{Violation, Violations};

/// The original's variables that have become pgpool parameters.
const KNOBS: &[(&str, &str)] = &[
    ("FAIL_OVER_ON_BACKEND_ERROR", "failover_on_backend_error"),
    ("CONNECTION_CACHE", "connection_cache"),
    ("NUM_INIT_CHILDREN", "num_init_children"),
    ("MAX_POOL", "max_pool"),
    ("LOG_STATEMENT", "log_statement"),
];

/// A rule and its hint.
type Broken = (String, String);

/// `PGCONF_*` in name order. `replication` is unknown while the node list is broken; then nothing depends on it.
pub(super) fn postgres_settings(raw: &RawEnv, replication: Option<Replication>) -> Result<Vec<Setting>, Violations> {
    collect(&raw.pgconf, |setting| {
        postgres_name(&setting.name)?;
        refuse_owned(OWNED_POSTGRES, &setting.name, &setting.value, replication)?;
        printable(&setting.value)
    })
}

/// `PGPOOL_*` and the original's knobs in name order.
pub(super) fn pgpool_settings(raw: &RawEnv) -> Result<Vec<Setting>, Violations> {
    let mut found = Violations::default();
    let version = raw.pgpool.pgpool_version.as_deref().unwrap_or("4.6");
    let version = found.take(parse_version(version)).unwrap_or((4, 6));
    let known = collect(&raw.pgpool_parameters, |setting| {
        let (base, _) = pgpool_base(&setting.name);
        refuse_owned(OWNED_PGPOOL, base, &setting.value, None)?;
        pgpool_name(&setting.name, version).map_err(|broken| instead_of(&setting.variable, broken))?;
        pgpool_value(&setting.value)
    });
    let mut settings = found.take(known).unwrap_or_default();
    let text = &raw.pgpool;
    let values =
        [&text.fail_over_on_backend_error, &text.connection_cache, &text.num_init_children, &text.max_pool, &text.log_statement];
    for ((variable, name), value) in KNOBS.iter().zip(values) {
        let Some(value) = value.as_deref().map(str::trim) else { continue };
        if let Err((rule, hint)) = pgpool_value(value) {
            found.add(Violation::of(variable, value, rule, hint));
        }
        match settings.iter().find(|setting| setting.name == *name) {
            Some(other) if other.value != value => {
                let rule = format!("PGPOOL_{name} sets the same parameter to another value");
                found.add(Violation::of(variable, value, rule, format!("keep PGPOOL_{name} alone")));
            }
            Some(_) => {}
            None => settings.push(Setting { name: (*name).to_owned(), value: value.to_owned() }),
        }
    }
    settings.sort_by(|one, other| one.name.cmp(&other.name));
    found.or(Some(settings))
}

fn collect(given: &[FamilyVar], rule: impl Fn(&FamilyVar) -> Result<(), Broken>) -> Result<Vec<Setting>, Violations> {
    let mut found = Violations::default();
    let mut settings = Vec::new();
    for setting in given {
        match rule(setting) {
            Ok(()) => settings.push(Setting { name: setting.name.clone(), value: setting.value.clone() }),
            Err((rule, hint)) => found.add(Violation::new(&setting.variable, rule, hint)),
        }
    }
    found.or(Some(settings))
}

/// PostgreSQL checks the value itself, and knows all names; only the form is ours.
fn postgres_name(name: &str) -> Result<(), Broken> {
    let part = |part: &str| {
        let mut bytes = part.bytes();
        bytes.next().is_some_and(|first| first.is_ascii_lowercase() || first == b'_')
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if name.split('.').count() <= 2 && name.split('.').all(part) && name.len() <= 63 {
        return Ok(());
    }
    let hint = "write PGCONF_work_mem, or PGCONF_auto_explain__log_min_duration for auto_explain.log_min_duration";
    Err(("not the name of a parameter".to_owned(), hint.to_owned()))
}

fn refuse_owned(table: &[Owned], name: &str, value: &str, replication: Option<Replication>) -> Result<(), Broken> {
    match owner(table, name) {
        Some(owned) if !is_allowed(owned.limit, value, replication) => {
            Err((format!("pgcluster owns {name}: it {}", owned.reason), owned.instead.to_owned()))
        }
        _ => Ok(()),
    }
}

pub(super) fn is_allowed(limit: Limit, value: &str, replication: Option<Replication>) -> bool {
    let among = |values: &[&str]| values.contains(&value.trim().to_ascii_lowercase().as_str());
    match limit {
        Limit::Whole => false,
        Limit::Among(values) => among(values),
        Limit::AmongInSyncMode(values) => replication != Some(Replication::Sync) || among(values),
    }
}

/// A line of a configuration file cannot hold these.
fn printable(value: &str) -> Result<(), Broken> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(("a value with a newline or another control character".to_owned(), "write it on one line".to_owned()));
    }
    Ok(())
}

/// pgpool.conf knows no escape for a quote: a quoted value ends at the next one (src/config/pool_config.l).
fn pgpool_value(value: &str) -> Result<(), Broken> {
    printable(value)?;
    let backslashes = value.bytes().rev().take_while(|byte| *byte == b'\\').count();
    if value.contains('\'') {
        Err(("a value with ', which pgpool.conf cannot hold".to_owned(), "do without the quote".to_owned()))
    } else if backslashes % 2 == 1 {
        Err(("a value that ends in a backslash".to_owned(), "pgpool would take it for a part of the closing quote".to_owned()))
    } else {
        Ok(())
    }
}

/// A name of another image's pgpool has a better hint than any likeness.
fn instead_of(variable: &str, (rule, hint): Broken) -> Broken {
    (rule, typo::replaced(variable).map_or(hint, str::to_owned))
}

fn parse_version(text: &str) -> Result<Version, Violation> {
    let mut parts = text.trim().split('.').map(|part| part.parse::<u32>().ok());
    let version = parts.next().flatten().zip(parts.next().flatten());
    version.filter(|version| VERSIONS.contains(version)).ok_or_else(|| {
        let (first, last) = (VERSIONS.start(), VERSIONS.end());
        let rule = format!("not a version of pgpool-II from {}.{} to {}.{}", first.0, first.1, last.0, last.1);
        Violation::of("PGPOOL_VERSION", text, rule, "the image sets it; leave it alone")
    })
}

/// The name without a number of a backend or pgpool behind it.
fn pgpool_base(name: &str) -> (&str, &str) {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if base.len() < name.len() && NUMBERED.contains(&base) { (base, &name[base.len()..]) } else { (name, "") }
}

/// Whether this version knows the parameter; else its new name, its first version, or the nearest one.
fn pgpool_name(name: &str, version: Version) -> Result<(), Broken> {
    let (base, number) = pgpool_base(name);
    let since = LATER.iter().find(|(known, _)| *known == base).map(|(_, since)| *since);
    if PGPOOL_PARAMETERS.contains(&base) || since.is_some_and(|since| since <= version) {
        return Ok(());
    }
    if let Some((major, minor)) = since {
        let rule = format!("new in pgpool-II {major}.{minor}, and this image has {}.{}", version.0, version.1);
        return Err((rule, "use an image with a newer pgpool-II, or unset it".to_owned()));
    }
    let old_base = base.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Some((_, new, (major, minor))) = RENAMED.iter().find(|(old, ..)| *old == old_base) {
        let rule = format!("{old_base} is called {new} since pgpool-II {major}.{minor}, and the old name has no effect");
        let hint = match owner(OWNED_PGPOOL, new) {
            Some(owned) => owned.instead.to_owned(),
            None => format!("set PGPOOL_{new}{number}"),
        };
        return Err((rule, hint));
    }
    let known = PGPOOL_PARAMETERS.iter().copied().chain(LATER.iter().map(|(name, _)| *name));
    let hint = match typo::nearest(base, known) {
        Some(near) => format!("did you mean PGPOOL_{near}?"),
        None => "see the list of parameters in pgpool-II's documentation".to_owned(),
    };
    Err(("not a parameter of pgpool-II".to_owned(), hint))
}

#[cfg(test)]
mod tests {
    use super::{LATER, NUMBERED, OWNED_PGPOOL, PGPOOL_PARAMETERS, RENAMED, pgpool_base, pgpool_name, pgpool_value};

    fn is_known(name: &str) -> bool {
        PGPOOL_PARAMETERS.contains(&name) || LATER.iter().any(|(later, _)| *later == name)
    }

    #[test]
    fn the_tables_fit_together() {
        assert!(PGPOOL_PARAMETERS.is_sorted());
        assert!(LATER.iter().all(|(name, _)| !PGPOOL_PARAMETERS.contains(name)));
        assert!(NUMBERED.iter().all(|name| is_known(name)));
        for (old, new, _) in RENAMED {
            assert!(is_known(new), "{new}");
            assert!(!is_known(old) || *old == "logdir", "{old}");
        }
        for owned in OWNED_PGPOOL {
            assert!(is_known(owned.name) || RENAMED.iter().any(|(old, ..)| *old == owned.name), "{}", owned.name);
        }
    }

    #[test]
    fn a_number_belongs_to_some_names_only() {
        assert_eq!(pgpool_base("backend_weight12"), ("backend_weight", "12"));
        assert_eq!(pgpool_base("max_pool1"), ("max_pool1", ""));
        assert_eq!(pgpool_base("recovery_1st_stage_command"), ("recovery_1st_stage_command", ""));
    }

    #[test]
    fn names_depend_on_the_version() {
        assert!(pgpool_name("min_spare_children", (4, 4)).is_ok());
        assert!(pgpool_name("min_spare_children", (4, 3)).is_err());
    }

    #[test]
    fn values_fit_between_two_quotes() {
        assert!([r"a\b", r"a\\", "%t: pid %p", ""].into_iter().all(|value| pgpool_value(value).is_ok()));
        assert!(["'", r"a\", "a\nb", r"\\\"].into_iter().all(|value| pgpool_value(value).is_err()));
    }
}
