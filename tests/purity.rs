//! Who may use what, read from the sources: the core is pure, and arrows between the layers point one way.
//!
//! Clippy's `disallowed-methods` cannot say "in this folder", so this test does. It reads code only: comments and `#[cfg(test)]`
//! items are left out.

use std::fs;
use std::path::{Path, PathBuf};

/// The pure layers, and which of our modules each may name.
const PURE: [(&str, &[&str]); 4] = [
    ("model", &["model"]),
    ("spec", &["spec", "model"]),
    ("render", &["render", "spec", "model"]),
    ("plan", &["plan", "render", "spec", "model"]),
];

/// What a pure layer never uses, and where it belongs instead.
const IMPURE: [(&str, &str); 14] = [
    ("tokio", "waiting belongs to act and observe"),
    ("std::fs", "files are read by observe and written by act"),
    ("std::env", "the environment is read once, by observe::environment"),
    ("std::process", "programs are run by act::command"),
    ("std::thread", "the core computes and returns"),
    ("std::io", "the core knows no streams"),
    ("TcpStream", "connections are made by link and pcp"),
    ("Instant", "time enters as a Duration"),
    ("SystemTime", "no decision uses a wall clock"),
    ("rand::", "randomness enters as a value"),
    ("tracing::", "a reason is returned, the shell logs it"),
    ("println!", "commands print"),
    ("eprintln!", "main prints errors"),
    ("dbg!", "commands print"),
];

/// Files of act that look, ask plan and do, again and again. Every other file of act carries out what it is told.
const LOOPS: [&str; 14] = [
    "act/start.rs",
    "act/heal.rs",
    "act/heal_pool.rs",
    "act/depose.rs",
    "act/main_node.rs",
    "act/pool.rs",
    "act/pool_follow.rs",
    "act/pool_patience.rs",
    "act/promote.rs",
    "act/reload.rs",
    "act/reload_pool.rs",
    "act/rotation.rs",
    "act/switchover.rs",
    "act/upkeep.rs",
];

/// What the other files of act may take from plan: nouns that they fill or keep, and SQL that is composed there.
const NOUNS: [&str; 6] = [
    "plan::fence::Stale",
    "plan::heal::{Findings, Memory}",
    "plan::promotion::{Fitness, Frozen}",
    "plan::promotion::Asker",
    "plan::start::Order",
    "plan::provision",
];

/// What observe may take from act: running pg_controldata and pg_waldump under a deadline and the stop signals.
const OBSERVE_TAKES: [&str; 2] = ["act::command", "act::signal"];

/// How a file is changed.
const WRITES: [&str; 9] = [
    "fs::write",
    "File::create",
    "OpenOptions",
    "fs::rename",
    "fs::remove",
    "fs::create",
    "DirBuilder",
    "set_permissions",
    "ALTER SYSTEM",
];

/// A line of code with its place.
struct Line {
    file: String,
    number: usize,
    text: String,
}

impl Line {
    fn says(&self, why: &str) -> String {
        format!("src/{}:{}: {why}\n    {}", self.file, self.number, self.text.trim())
    }
}

/// Code of a folder or file under src/, without comments and tests.
fn code(place: &str) -> Vec<Line> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    collect(&root.join(place), &mut paths);
    paths.sort();
    assert!(!paths.is_empty(), "no sources in src/{place}");
    paths.iter().flat_map(|path| lines_of(&root, path)).collect()
}

fn collect(path: &Path, into: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            collect(&entry.expect("an entry").path(), into);
        }
    } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
        into.push(path.to_path_buf());
    }
}

fn lines_of(root: &Path, path: &Path) -> Vec<Line> {
    let file = path.strip_prefix(root).expect("below src").display().to_string();
    let text = fs::read_to_string(path).expect("a source file");
    without_tests(&text).into_iter().map(|(number, text)| Line { file: file.clone(), number, text }).collect()
}

/// Numbered lines that are neither comment nor test; of a line the part before a comment. Relies on rustfmt: a top-level item that
/// opens a brace ends with `}` in the first column.
fn without_tests(text: &str) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        if line == "#[cfg(test)]" {
            let opens = lines.next().is_some_and(|(_, item)| item.ends_with('{'));
            if opens {
                lines.by_ref().find(|(_, line)| *line == "}");
            }
            continue;
        }
        let code = line.split("//").next().unwrap_or_default();
        if !code.trim().is_empty() {
            kept.push((number, code.to_owned()));
        }
    }
    kept
}

/// Whether `word` stands there as a path or name of its own: `std::fs`, not `my_std::fs`.
fn names(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

/// The modules of ours that a line names by `crate::`.
fn modules(text: &str) -> Vec<&str> {
    let word = |rest: &str| rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    text.match_indices("crate::").map(|(at, prefix)| &text[at + prefix.len()..]).map(|rest| &rest[..word(rest)]).collect()
}

#[track_caller]
fn assert_none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_core_does_no_io() {
    let mut found = Vec::new();
    for line in PURE.iter().flat_map(|(layer, _)| code(layer)) {
        found.extend(
            IMPURE
                .iter()
                .filter(|(word, _)| names(&line.text, word))
                .map(|(word, instead)| line.says(&format!("{word} in a pure layer: {instead}"))),
        );
    }
    assert_none(found);
}

#[test]
fn the_core_knows_only_what_is_further_in() {
    let mut found = Vec::new();
    for (layer, allowed) in PURE {
        for line in code(layer) {
            let stranger = modules(&line.text).into_iter().find(|module| !module.is_empty() && !allowed.contains(module));
            found.extend(stranger.map(|module| line.says(&format!("{layer} may not use {module}"))));
        }
    }
    assert_none(found);
}

#[test]
fn only_the_loops_of_act_ask_for_decisions() {
    let asks = |line: &Line| names(&line.text, "plan::") && !NOUNS.iter().any(|noun| line.text.contains(noun));
    let found = code("act").into_iter().filter(|line| !LOOPS.contains(&line.file.as_str()) && asks(line));
    assert_none(found.map(|line| line.says("a deed that asks plan: let a loop ask, and pass the answer in")).collect());
    for file in LOOPS {
        assert!(code(file).iter().any(|line| names(&line.text, "plan::")), "{file} asks for nothing: take it off the list");
    }
}

#[test]
fn observe_never_writes() {
    let mut found = Vec::new();
    for line in code("observe") {
        found
            .extend(WRITES.iter().filter(|word| line.text.contains(**word)).map(|word| line.says(&format!("{word} in observe"))));
        if names(&line.text, "act::") && !OBSERVE_TAKES.iter().any(|module| line.text.contains(module)) {
            found.push(line.says("observe uses act"));
        }
        found.extend(modules(&line.text).contains(&"plan").then(|| line.says("observe uses plan")));
    }
    assert_none(found);
}

#[test]
fn connections_know_nobody_who_uses_them() {
    let lines = ["link.rs", "pcp.rs", "pcp"].into_iter().flat_map(code);
    let above = |line: &Line| modules(&line.text).iter().any(|m| ["observe", "act", "plan", "command"].contains(m));
    assert_none(lines.filter(above).map(|line| line.says("a connection that knows its users")).collect());
}

#[test]
fn only_main_runs_commands_and_ends_the_process() {
    let mut found = Vec::new();
    for line in code("").into_iter().filter(|line| line.file != "main.rs") {
        let outside = !line.file.starts_with("command");
        found.extend((outside && modules(&line.text).contains(&"command")).then(|| line.says("only main runs commands")));
        found.extend((outside && line.text.contains("println!")).then(|| line.says("only commands print")));
        found.extend(line.text.contains("process::exit").then(|| line.says("only main ends the process")));
    }
    assert_none(found);
}

#[test]
fn comments_and_tests_are_left_out() {
    let text = "use a; // std::fs\n/// std::env\n#[cfg(test)]\nmod tests {\n    use tokio;\n}\nuse b;\n#[cfg(test)]\nmod more;\nuse c;\n";
    let kept: Vec<(usize, String)> = without_tests(text);
    assert_eq!(kept, [(1, "use a; ".to_owned()), (7, "use b;".to_owned()), (10, "use c;".to_owned())]);
    assert!(names("use std::fs;", "std::fs") && !names("use my_rand::x", "rand::"));
    assert_eq!(modules("use crate::{a}; crate::act::x(crate::spec::Y)"), ["", "act", "spec"]);
}
