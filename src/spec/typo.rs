//! Names in the environment that look like ours and are not: pgcluster would ignore them without a word.

mod foreign;

use super::raw::RawEnv;
use super::vars::{self, VARS};
use super::violation::Violation;
use foreign::{COMMON, REPLACED};

/// Name spaces that are ours alone: an unknown name in them is an error, however far from the known ones.
const OUR_PREFIXES: &[&str] = &[
    "PG_BACKEND",
    "PGMASTER",
    "PG_MASTER",
    "REPMGR",
    "MSLIST",
    "MSOWNER",
    "MSUSER",
    "MS_DEFAULT",
    "PGP_",
    "PCP",
    "POSTGRES_",
    "FAILOVER_",
    "REPLICATION_",
    "TLS_",
    "PGCLUSTER_",
    "POOL_",
    "PG_CLIENT",
    "PG_TUNE",
];

/// One violation per name; never with its value, which may be a secret behind a mistyped name.
pub(super) fn unknown_names(raw: &RawEnv) -> Vec<Violation> {
    raw.names.iter().filter_map(|name| unknown(name)).collect()
}

fn unknown(name: &str) -> Option<Violation> {
    if vars::find(name).is_some() || name.starts_with("PGCONF_") || COMMON.contains(&name) {
        return None;
    }
    if let Some((_, instead)) = REPLACED.iter().find(|(old, _)| *old == name.strip_suffix("_FILE").unwrap_or(name)) {
        return Some(Violation::new(name, "a variable of another image, unknown to pgcluster", *instead));
    }
    if name.starts_with("PGPOOL_") {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let near = nearest(&upper, known_names().filter(|known| is_typo(&upper, known)));
    let ours = OUR_PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    let hint = match near.or_else(|| if ours { nearest(&upper, known_names()) } else { None }) {
        Some(near) => format!("did you mean {near}?"),
        None if ours => "unset it; `pgcluster env` lists all variables".to_owned(),
        None => return None,
    };
    Some(Violation::new(name, "not a variable of pgcluster", hint))
}

fn known_names() -> impl Iterator<Item = &'static str> {
    VARS.iter().flat_map(|var| std::iter::once(var.name).chain(var.aliases.iter().copied()))
}

/// Two slips in a long name, one in a short one.
fn is_typo(name: &str, known: &str) -> bool {
    let slips = if known.len() < 8 { 1 } else { 2 };
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    [name, bare].iter().any(|name| strsim::damerau_levenshtein(name, known) <= slips)
}

/// The most similar name, when it is similar at all.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let similar = |known: &'a str| (strsim::jaro_winkler(name, known), known);
    let best = known.map(similar).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(similarity, _)| *similarity >= 0.8).map(|(_, known)| known)
}
