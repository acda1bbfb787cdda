//! `PGCONF_<guc>` and `PGPOOL_<parameter>`: names that only the server knows completely.

use std::collections::BTreeMap;

use super::{Source, Spellings};
use crate::spec::vars;
use crate::spec::violation::Violation;

/// One variable of a family.
#[derive(Clone, PartialEq, Eq)]
pub struct FamilyVar {
    /// As it stands in the environment, without `_FILE`.
    pub variable: String,
    /// As the server spells it.
    pub name: String,
    pub value: String,
    pub source: Source,
}

pub(super) struct Family {
    prefix: &'static str,
    parameter: fn(&str) -> String,
    /// Parameters that end in `_file` themselves: `PGCONF_SSL_CERT_FILE` is not a file form.
    file_parameters: &'static [&'static str],
}

pub(super) const PGCONF: Family = Family {
    prefix: "PGCONF_",
    parameter: pgconf_name,
    file_parameters: &[
        "config_file",
        "external_pid_file",
        "hba_file",
        "ident_file",
        "ssl_ca_file",
        "ssl_cert_file",
        "ssl_crl_file",
        "ssl_dh_params_file",
        "ssl_key_file",
    ],
};

pub(super) const PGPOOL: Family =
    Family { prefix: "PGPOOL_", parameter: pgpool_name, file_parameters: &["ssl_crl_file", "ssl_dh_params_file"] };

/// GUC names are case-insensitive; `__` stands for the dot of an extension's parameter, which shells do not take in a name.
fn pgconf_name(text: &str) -> String {
    text.to_ascii_lowercase().replace("__", ".")
}

/// All current parameters of pgpool are lower case.
fn pgpool_name(text: &str) -> String {
    text.to_ascii_lowercase()
}

impl Family {
    /// The names of this family without `_FILE`, each once.
    fn variables(&self, env: &BTreeMap<&str, &str>) -> Vec<String> {
        let members = env.keys().filter(|name| name.starts_with(self.prefix) && vars::find(name).is_none());
        let mut variables: Vec<_> = members.map(|name| self.without_file(name).unwrap_or(name).to_owned()).collect();
        variables.sort();
        variables.dedup();
        variables
    }

    fn without_file<'a>(&self, name: &'a str) -> Option<&'a str> {
        let parameter = (self.parameter)(name.strip_prefix(self.prefix)?);
        if self.file_parameters.contains(&parameter.as_str()) { None } else { name.strip_suffix("_FILE") }
    }

    pub(super) fn files(&self, env: &BTreeMap<&str, &str>) -> Vec<(String, String)> {
        let path_of = |name: &String| env.get(format!("{name}_FILE").as_str()).map(|path| (*path).to_owned());
        self.variables(env).into_iter().filter_map(|name| path_of(&name).map(|path| (name, path))).collect()
    }

    pub(super) fn read(&self, env: &Spellings<'_>) -> (Vec<FamilyVar>, Vec<Violation>) {
        let mut found: BTreeMap<String, FamilyVar> = BTreeMap::new();
        let mut violations = Vec::new();
        for variable in self.variables(&env.vars) {
            let (value, source) = match env.text(&variable) {
                Ok(Some(text)) => text,
                Ok(None) => continue,
                Err(violation) => {
                    violations.push(violation);
                    continue;
                }
            };
            let name = (self.parameter)(variable.strip_prefix(self.prefix).unwrap_or(&variable));
            match found.get(&name) {
                Some(other) if other.value != value => {
                    let rule = format!("{} sets the same parameter to another value", other.variable);
                    violations.push(Violation::new(&variable, rule, "keep one of the two"));
                }
                Some(_) => {}
                None => drop(found.insert(name.clone(), FamilyVar { variable, name, value, source })),
            }
        }
        (found.into_values().collect(), violations)
    }
}
