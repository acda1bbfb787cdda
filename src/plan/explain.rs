//! What a word means: a variable, a state, a word of the waiting room, a problem. One source with `status` and the reference.

use crate::model::{StateWord, Weight};
use crate::plan::diagnose::codes::{self, CODES};
use crate::plan::doctor::codes::CODES as CHECKS;
use crate::spec::vars::{self, Preset};
use crate::spec::{VARS, Var};

/// Something that has a name here.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    pub name: String,
    /// `variable`, `state`, `waiting`, `problem` or `exit code`.
    pub kind: &'static str,
    pub meaning: String,
    /// What to do about it; none where there is nothing to do.
    pub fix: Option<String>,
}

/// Words of a node whose entrypoint answers.
const ROOM: [(&str, &str); 6] = [
    ("empty", "The node has no data and waits: for a primary to copy, or for all others to say that they are empty, too."),
    ("initialising", "The node runs initdb: it is the bootstrap node of a new cluster."),
    ("cloning", "The node copies the primary beside its own data, which is replaced when the copy is complete."),
    ("rewinding", "The node takes back what the primary never had (pg_rewind), and then follows."),
    ("joining", "The node's data are a prefix of the primary's: it points at it and starts."),
    ("looking for the primary", "A pgpool that starts and waits until a node takes writes."),
];

/// None: nothing of ours has this name.
pub fn explain(name: &str) -> Option<Explanation> {
    let word = name.trim().to_lowercase();
    if let Some(code) = codes::find(&word) {
        let effect = match code.weight {
            _ if !CODES.contains(code) => "found by `doctor`",
            Weight::Notice => "`status` exits with 0",
            Weight::Degraded => "`status` exits with 1",
            Weight::Broken => "`status` exits with 2",
        };
        let meaning = format!("{} ({effect}.)", code.meaning);
        return Some(Explanation { name: code.word.into(), kind: "problem", meaning, fix: Some(code.fix.into()) });
    }
    if let Some(state) = StateWord::ALL.into_iter().find(|state| state.word() == word) {
        return Some(Explanation { name: word, kind: "state", meaning: state_meaning(state).into(), fix: None });
    }
    if let Some((word, meaning)) = ROOM.iter().find(|(room, _)| *room == word) {
        return Some(Explanation { name: (*word).into(), kind: "waiting", meaning: (*meaning).into(), fix: None });
    }
    vars::find(name.trim()).or_else(|| vars::find(&name.trim().to_uppercase())).map(variable)
}

fn state_meaning(state: StateWord) -> &'static str {
    match state {
        StateWord::Primary => "The server takes writes. If two do, the one of the higher epoch reigns and the other is stopped.",
        StateWord::Standby => "The server replays the WAL of the node that it points at, and serves reads.",
        StateWord::Parked => {
            "A former primary that could not know whether it still reigns: read-only, pointing at nobody, visible to an election. A primary that appears makes it follow."
        }
        StateWord::Frozen => {
            "A standby whose pointer a promotion took away, so that the old primary gets no acknowledgement from it any more. The promotion points it at the new primary; if that died, the health checks do."
        }
        StateWord::Waiting => {
            "Port 5432 answers with what the entrypoint is doing, or the server starts or stops. Nothing is served yet."
        }
        StateWord::Unreachable => "No answer in one second, or a server that does not let role repmgr in.",
    }
}

fn variable(var: &Var) -> Explanation {
    let preset = match var.preset {
        Preset::Unset => "unset".to_owned(),
        Preset::Text(text) => text.to_owned(),
        Preset::From(words) => words.to_owned(),
    };
    let aliases = match var.aliases {
        [] => String::new(),
        names => format!(" Also called {}.", names.join(", ")),
    };
    let file = if var.name.ends_with("_FILE") { String::new() } else { format!(" Or as {}_FILE: the path of a file.", var.name) };
    let meaning = format!("{} Default: {preset}.{aliases}{file}", var.doc);
    Explanation { name: var.name.into(), kind: "variable", meaning, fix: None }
}

/// Every name that can be explained, for the search of the nearest one.
pub fn names() -> Vec<&'static str> {
    let states = StateWord::ALL.into_iter().map(StateWord::word);
    let rooms = ROOM.iter().map(|(word, _)| *word);
    CODES.iter().chain(CHECKS).map(|code| code.word).chain(states).chain(rooms).chain(VARS.iter().map(|var| var.name)).collect()
}

/// The name that was probably meant.
pub fn nearest(name: &str) -> Option<&'static str> {
    let word = name.trim().to_lowercase();
    let far = |known: &&str| strsim::damerau_levenshtein(&word, &known.to_lowercase());
    names().into_iter().min_by_key(far).filter(|known| far(known) <= 1 + word.len() / 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_explained() {
        for name in names() {
            let explanation = explain(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(explanation.name, name);
            assert!(explanation.meaning.len() > 20, "{name}: {}", explanation.meaning);
        }
    }

    #[test]
    fn names_are_forgiving() {
        assert_eq!(explain("Repmgrpwd").map(|e| e.name), Some("REPMGRPWD".into()));
        assert_eq!(explain("PGMASTER").map(|e| e.name), Some("PGMASTER_NODE_NAME".into()));
        assert_eq!(explain("nonsense"), None);
        assert_eq!(nearest("no-primery"), Some("no-primary"));
        assert_eq!(nearest("xyzzy"), None);
    }
}
