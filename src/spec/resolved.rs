//! Every variable with its value and where that came from, for `pgcluster env`.

use super::raw::{RawEnv, Source};
use super::vars;

/// Fragments of parameter names whose values are nobody's business.
const SECRET_WORDS: &[&str] = &["password", "passwd", "authkey", "conninfo", "passphrase", "secret"];

/// One line of `pgcluster env`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedVar {
    pub name: String,
    /// `***` for a secret; `None` when there is neither a value nor a fixed default.
    pub value: Option<String>,
    pub source: Source,
}

/// All variables of the contract in its order, then the `PGCONF_` and `PGPOOL_` settings. Unreadable ones are missing.
pub fn resolved(raw: &RawEnv) -> Vec<ResolvedVar> {
    let masked = |secret: bool, value: &str| if secret { "***".to_owned() } else { value.to_owned() };
    let contract = raw.resolved.iter().map(|(name, value, source)| {
        let secret = vars::find(name).is_none_or(|var| var.is_secret());
        let value = value.as_deref().map(|value| masked(secret, value));
        ResolvedVar { name: (*name).to_owned(), value, source: source.clone() }
    });
    let families = raw.pgconf.iter().chain(&raw.pgpool_parameters).map(|setting| {
        let secret = SECRET_WORDS.iter().any(|word| setting.name.contains(word));
        let value = Some(masked(secret, &setting.value));
        ResolvedVar { name: setting.variable.clone(), value, source: setting.source.clone() }
    });
    contract.chain(families).collect()
}
