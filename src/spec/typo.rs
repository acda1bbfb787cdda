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
    "POOL_CLIENT",
    "POOL_UNKNOWN",
    "PG_CLIENT",
    "PG_TUNE",
];

/// One violation per name; never with its value, which may be a secret behind a mistyped name.
pub(super) fn unknown_names(raw: &RawEnv) -> Vec<Violation> {
    raw.names.iter().filter_map(|name| unknown(name)).collect()
}

fn unknown(name: &str) -> Option<Violation> {
    let settings = ["PGCONF_", "PGPOOL_"].iter().any(|family| name.starts_with(family));
    if settings || vars::find(name).is_some() || COMMON.contains(&name) {
        return None;
    }
    let upper = name.to_ascii_uppercase();
    let ours = OUR_PREFIXES.iter().any(|prefix| upper.starts_with(prefix));
    let near = nearest(&upper, known_names().filter(|known| is_typo(&upper, known)));
    let near = near.or_else(|| if ours { nearest(&upper, known_names()) } else { None });
    let hint = match (replaced(name), near) {
        (Some(instead), _) => instead.to_owned(),
        (None, Some(near)) => format!("did you mean {near}?"),
        (None, None) if ours => "unset it; `pgcluster env` lists all variables".to_owned(),
        (None, None) => return None,
    };
    Some(Violation::new(name, "not a variable of pgcluster", hint))
}

/// What does the same here as a variable of another image.
pub(super) fn replaced(name: &str) -> Option<&'static str> {
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    REPLACED.iter().find(|(old, _)| [name, bare].contains(old)).map(|(_, instead)| *instead)
}

fn known_names() -> impl Iterator<Item = &'static str> {
    VARS.iter().flat_map(|var| std::iter::once(var.name).chain(var.aliases.iter().copied()))
}

/// Two slips in a long name, one in a short one.
fn is_typo(name: &str, known: &str) -> bool {
    let slips = if known.len() < 8 { 1 } else { 2 };
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    // The distance is at least the difference in length, and costs their product.
    let is_near = |name: &str| name.chars().count().abs_diff(known.len()) <= slips;
    [name, bare].iter().any(|name| is_near(name) && strsim::damerau_levenshtein(name, known) <= slips)
}

/// The most similar name, when it is similar at all.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let similar = |known: &'a str| (strsim::jaro_winkler(name, known), known);
    let best = known.map(similar).max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(similarity, _)| *similarity >= 0.8).map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::unknown;

    #[test]
    fn strangers_are_left_alone() {
        let strangers = [
            "PATH",
            "HOSTNAME",
            "PGHOST",
            "PGPORT",
            "PGUSER",
            "PGPASSFILE",
            "PGTZ",
            "PCPPASSFILE",
            "PGPOOLKEYFILE",
            "LC_ALL",
            "NODE_IP",
            "NODE_ENV",
            "NODE_VERSION",
            "container",
            "HTTP_PROXY",
            "no_proxy",
            "PG_VERSION",
            "GOSU_VERSION",
            "LOGLEVEL",
            "MAIL",
            "POOL_SIZE",
            "MY_APP_TOKEN",
            "JAVA_HOME",
            "PG01_PORT_5432_TCP",
            "ARCHIVE",
            "DATABASE_URL",
            "PGCLUSTER_DIE_AT",
            "_",
            "",
        ];
        for name in strangers {
            assert_eq!(unknown(name), None, "{name}");
        }
    }

    #[test]
    fn slips_name_what_was_meant() {
        let slips = [
            ("MSLITS", "MSLIST"),
            ("MS_LIST", "MSLIST"),
            ("PG_BACKEND_NODES", "PG_BACKEND_NODE_LIST"),
            ("REPMGR_PWD", "REPMGRPWD"),
            ("PGP_OTHER", "PGP_OTHERS"),
            ("PGMASTER_NODENAME", "PGMASTER_NODE_NAME"),
            ("NODENAME", "NODE_NAME"),
            ("POSTGRES_PASSWD", "POSTGRES_PASSWORD"),
            ("DELEGATE_IPS", "DELEGATE_IP"),
            ("PCP_PWD", "PCPPWD"),
            ("PCPPWDFILE", "PCPPWD"),
            ("TRUSTED_SERVER", "TRUSTED_SERVERS"),
            ("TLS_CERT", "TLS_CERT_FILE"),
            ("FAILOVER_MODUS", "FAILOVER_MODE"),
            ("MSUSERPWLIST", "MSUSERPWDLIST"),
            ("pgdata", "PGDATA"),
            ("PGDTA", "PGDATA"),
        ];
        for (slip, meant) in slips {
            let hint = unknown(slip).map(|violation| violation.hint);
            assert_eq!(hint, Some(format!("did you mean {meant}?")), "{slip}");
        }
    }
}
