//! Strings in, strings out: which text each variable has, from whichever of its spellings, before anybody judges it.
//!
//! An empty value means unset, as compose writes it for `${NAME:-}`. A file that is named must hold something.

mod family;
mod text;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

pub use family::FamilyVar;
pub use text::{ClusterText, PgpoolText, PostgresText};

use super::vars::{Images, Preset, VARS};
use super::violation::Violation;

/// What the I/O shell saw: the environment and the files that [`wanted_files`] asked for.
#[derive(Clone, Default)]
pub struct Snapshot {
    pub vars: Vec<(String, String)>,
    /// By the name without `_FILE`: the content, or the reason why there is none.
    pub files: BTreeMap<String, Result<String, String>>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Default,
    Env,
    /// The path that `NAME_FILE` gave.
    File(String),
    /// Given under this other name.
    Alias(String),
}

/// Texts by variable. No `Debug`: some are secrets.
#[derive(Clone, Default)]
pub struct RawEnv {
    pub cluster: ClusterText,
    pub postgres: PostgresText,
    pub pgpool: PgpoolText,
    /// `PGCONF_<guc>`.
    pub pgconf: Vec<FamilyVar>,
    /// `PGPOOL_<parameter>`.
    pub pgpool_parameters: Vec<FamilyVar>,
    /// All names of the environment, for the typing check.
    pub(super) names: Vec<String>,
    pub(super) resolved: Vec<(&'static str, Option<String>, Source)>,
    violations: Vec<(Images, Violation)>,
}

impl RawEnv {
    /// Cannot fail: what is wrong with spellings and files is kept and reported by the image that reads the variable.
    pub fn read(snapshot: &Snapshot) -> RawEnv {
        let env = Spellings::of(snapshot);
        let mut raw = RawEnv { names: env.vars.keys().map(|name| (*name).to_owned()).collect(), ..RawEnv::default() };
        for var in VARS.iter().filter(|var| var.images != Images::Compose) {
            let (text, source) = match env.text_of(var.name, var.aliases) {
                Ok(Some((text, source))) => (Some(text), source),
                Ok(None) => (preset_text(var.preset), Source::Default),
                Err(violation) => {
                    raw.violations.push((var.images, violation));
                    continue;
                }
            };
            raw.resolved.push((var.name, text, source));
        }
        raw.cluster = raw.fill();
        raw.postgres = raw.fill();
        raw.pgpool = raw.fill();
        for (family, image) in [(&family::PGCONF, Images::Postgres), (&family::PGPOOL, Images::Pgpool)] {
            let (found, violations) = family.read(&env);
            raw.violations.extend(violations.into_iter().map(|violation| (image, violation)));
            match image {
                Images::Postgres => raw.pgconf = found,
                _ => raw.pgpool_parameters = found,
            }
        }
        raw
    }

    /// Whether the operator gave this variable, rather than our default.
    pub fn is_given(&self, name: &str) -> bool {
        self.resolved.iter().any(|(known, text, source)| *known == name && text.is_some() && *source != Source::Default)
    }

    /// Whether a value was given and could not be read: whoever misses it must not complain a second time.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        !self.resolved.iter().any(|(known, ..)| *known == name)
    }

    pub(super) fn violations(&self, image: Images) -> impl Iterator<Item = &Violation> {
        self.violations.iter().filter(move |(images, _)| images.include(image)).map(|(_, violation)| violation)
    }

    /// envy takes its fields by lower-cased name and ignores the rest; with `Option<String>` only, it has nothing to refuse.
    fn fill<T: DeserializeOwned + Default>(&self) -> T {
        let given = self.resolved.iter().filter_map(|(name, text, _)| Some(((*name).to_owned(), text.clone()?)));
        envy::from_iter(given).unwrap_or_default()
    }
}

fn preset_text(preset: Preset) -> Option<String> {
    match preset {
        Preset::Text(text) => Some(text.to_owned()),
        Preset::Unset | Preset::From(_) => None,
    }
}

/// The environment by name; the first of two equal names counts, as in getenv(3).
pub(super) struct Spellings<'a> {
    vars: BTreeMap<&'a str, &'a str>,
    files: &'a BTreeMap<String, Result<String, String>>,
}

impl<'a> Spellings<'a> {
    fn of(snapshot: &'a Snapshot) -> Spellings<'a> {
        Spellings { vars: given(&snapshot.vars), files: &snapshot.files }
    }

    fn text_of(&self, name: &str, aliases: &[&str]) -> Result<Option<(String, Source)>, Violation> {
        let mut first: Option<(&str, String, Source)> = None;
        for spelling in [name].iter().chain(aliases) {
            let Some((text, source)) = self.text(spelling)? else { continue };
            match &first {
                Some((other, earlier, _)) if *earlier != text => {
                    let rule = format!("{other} and {spelling} mean the same and have different values");
                    return Err(Violation::new(name, rule, format!("set {name} alone")));
                }
                Some(_) => {}
                None => {
                    let source = if *spelling == name { source } else { Source::Alias((*spelling).to_owned()) };
                    first = Some((spelling, text, source));
                }
            }
        }
        Ok(first.map(|(_, text, source)| (text, source)))
    }

    /// `NAME` or the content of the file that `NAME_FILE` names.
    fn text(&self, name: &str) -> Result<Option<(String, Source)>, Violation> {
        let file_name = format!("{name}_FILE");
        match (self.vars.get(name), self.vars.get(file_name.as_str())) {
            (None, None) => Ok(None),
            (Some(text), None) => Ok(Some(((*text).to_owned(), Source::Env))),
            (Some(_), Some(_)) => {
                Err(Violation::new(name, format!("{name} and {file_name} are both set"), "keep one of the two"))
            }
            (None, Some(path)) => Ok(Some((self.content(name, path)?, Source::File((*path).to_owned())))),
        }
    }

    fn content(&self, name: &str, path: &str) -> Result<String, Violation> {
        let variable = format!("{name}_FILE");
        let content = match self.files.get(name) {
            Some(Ok(content)) => content,
            Some(Err(reason)) => {
                let hint = "is the secret listed for this service, and may user 50010 read it?";
                return Err(Violation::new(&variable, format!("{path} cannot be read: {reason}"), hint));
            }
            None => {
                return Err(Violation::new(&variable, format!("{path} was not read"), "give an absolute path"));
            }
        };
        match without_newline(content) {
            "" => {
                Err(Violation::new(&variable, format!("{path} is empty"), "write the value into the file, or unset the variable"))
            }
            text => Ok(text.to_owned()),
        }
    }
}

fn given(vars: &[(String, String)]) -> BTreeMap<&str, &str> {
    let mut by_name = BTreeMap::new();
    for (name, value) in vars.iter().filter(|(_, value)| !value.is_empty()) {
        by_name.entry(name.as_str()).or_insert(value.as_str());
    }
    by_name
}

/// Exactly one newline is an editor's habit; a second one belongs to the value.
fn without_newline(text: &str) -> &str {
    let line = text.strip_suffix('\n').unwrap_or(text);
    if line.len() == text.len() { text } else { line.strip_suffix('\r').unwrap_or(line) }
}

/// The files to read into [`Snapshot::files`]: name without `_FILE`, and path.
pub fn wanted_files(vars: &[(String, String)]) -> Vec<(String, String)> {
    let env = given(vars);
    let known = VARS.iter().filter(|var| var.images != Images::Compose);
    let mut wanted: Vec<_> = known
        .flat_map(|var| [var.name].into_iter().chain(var.aliases.iter().copied()))
        .filter_map(|name| Some((name.to_owned(), (*env.get(format!("{name}_FILE").as_str())?).to_owned())))
        .collect();
    for family in [&family::PGCONF, &family::PGPOOL] {
        wanted.extend(family.files(&env));
    }
    wanted
}

#[cfg(test)]
mod tests;
