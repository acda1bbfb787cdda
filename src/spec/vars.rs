//! What a variable of the contract is, and questions to the one table of them.

mod table;

pub use table::VARS;

/// One variable of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Var {
    pub name: &'static str,
    /// Other spellings with the same meaning, from the original's compose files.
    pub aliases: &'static [&'static str],
    pub section: Section,
    pub images: Images,
    pub secrecy: Secrecy,
    pub preset: Preset,
    /// One line, for people.
    pub doc: &'static str,
}

impl Var {
    pub fn is_secret(&self) -> bool {
        self.secrecy == Secrecy::Secret
    }
}

/// Chapters of the reference, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    Cluster,
    Node,
    Passwords,
    Server,
    Services,
    Pgpool,
    Watchdog,
    Tls,
    Log,
    Original,
    Outside,
}

/// Who reads a variable. The other image ignores it, because compose files share one block among all containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    Both,
    Postgres,
    Pgpool,
    /// Not read inside a container at all; known so that it is not taken for a typing error.
    Compose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrecy {
    Open,
    Secret,
}

/// What holds when a variable is unset or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// Nothing.
    Unset,
    /// This text, as if it had been given.
    Text(&'static str),
    /// Something that follows from other variables; the words are for people.
    From(&'static str),
}

impl Images {
    pub(super) fn include(self, image: Images) -> bool {
        self == Images::Both || self == image
    }

    fn title(self) -> &'static str {
        match self {
            Images::Both => "both",
            Images::Postgres => "postgres",
            Images::Pgpool => "pgpool",
            Images::Compose => "compose",
        }
    }
}

impl Section {
    fn title(self) -> &'static str {
        match self {
            Section::Cluster => "The cluster",
            Section::Node => "This database container",
            Section::Passwords => "Passwords of the superusers",
            Section::Server => "PostgreSQL",
            Section::Services => "Micro-services",
            Section::Pgpool => "pgpool",
            Section::Watchdog => "Watchdog: several pgpools",
            Section::Tls => "TLS",
            Section::Log => "Messages",
            Section::Original => "Variables of the original project that have another name or meaning today",
            Section::Outside => "Read by the compose files, not by the containers",
        }
    }
}

/// The variable with this name or alias, also in its `_FILE` form.
pub fn find(name: &str) -> Option<&'static Var> {
    place(name).map(|place| &VARS[place])
}

/// Its place in [`VARS`].
pub(super) fn place(name: &str) -> Option<usize> {
    let exactly = |name: &str| VARS.iter().position(|var| var.name == name || var.aliases.contains(&name));
    exactly(name).or_else(|| name.strip_suffix("_FILE").and_then(exactly))
}

/// What the tables below do not say.
const GENERAL: &str = "\
Every variable can be given as `NAME_FILE` instead: the path of a file whose content is the value, less one trailing newline.
An empty value means unset; an empty or unreadable file is an error, and so is a variable given in both ways.
Variables of the other image are ignored; unknown names that look like ours are errors.

| variable | meaning |
| --- | --- |
| `PGCONF_<parameter>` | Any parameter of PostgreSQL that pgcluster does not own; `__` stands for the dot in `pg_stat_statements.max`. |
| `PGPOOL_<parameter>` | Any parameter of pgpool-II that pgcluster does not own. |
";

/// The reference for the README: the rules for all, and one table per section.
pub fn markdown() -> String {
    let mut text = GENERAL.to_owned();
    let mut section = None;
    for var in VARS {
        if section != Some(var.section) {
            section = Some(var.section);
            text.push_str(&format!("\n### {}\n\n| variable | image | default | meaning |\n", var.section.title()));
            text.push_str("| --- | --- | --- | --- |\n");
        }
        text.push_str(&markdown_row(var));
    }
    text
}

fn markdown_row(var: &Var) -> String {
    let mut names = format!("`{}`", var.name);
    for alias in var.aliases {
        names.push_str(&format!(", `{alias}`"));
    }
    let preset = match var.preset {
        Preset::Unset => String::new(),
        Preset::Text(text) => format!("`{text}`"),
        Preset::From(words) => words.to_owned(),
    };
    let doc = var.doc.replace('|', "\\|");
    format!("| {names} | {} | {preset} | {doc} |\n", var.images.title())
}

#[cfg(test)]
mod tests {
    use super::{VARS, find, markdown};

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<_> = VARS.iter().flat_map(|var| var.aliases.iter().copied().chain([var.name])).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(all, names.len());
    }

    #[test]
    fn sections_are_not_split() {
        let mut sections: Vec<_> = VARS.iter().map(|var| var.section).collect();
        sections.dedup();
        let runs = sections.len();
        sections.sort_by_key(|section| *section as u8);
        sections.dedup();
        assert_eq!(runs, sections.len());
    }

    #[test]
    fn a_name_is_found_by_alias_and_by_file_form() {
        assert_eq!(find("PGMASTER_FILE").map(|var| var.name), Some("PGMASTER_NODE_NAME"));
        assert_eq!(find("TLS_CERT_FILE").map(|var| var.name), Some("TLS_CERT_FILE"));
        assert_eq!(find("TLS_CERT"), None);
    }

    #[test]
    fn the_reference_is_what_the_readme_shows() {
        insta::assert_snapshot!(markdown());
    }
}
