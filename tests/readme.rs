//! What the documents say is so: the reference is the table's, the commands exist, the files and links are there.

use std::fs;
use std::path::Path;

use clap::CommandFactory;
use pgcluster::cli::Cli;
use pgcluster::spec::vars;

const DOCUMENTS: [&str; 5] = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CHANGELOG.md", "docs/commands.md"];
const BEGIN: &str = "<!-- BEGIN ENV -->\n";
const END: &str = "<!-- END ENV -->";
const UPDATE: &str = "UPDATE_README=1 cargo test --test readme";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Text between the markers, and what is around it.
fn reference(readme: &str) -> (&str, &str, &str) {
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has the marker BEGIN ENV");
    let (inside, after) = rest.split_once(END).expect("README.md has the marker END ENV");
    (before, inside, after)
}

#[test]
fn the_reference_is_that_of_the_table() {
    let readme = read("README.md");
    let (before, inside, after) = reference(&readme);
    let wanted = format!("\n{}\n", vars::markdown());
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(root().join("README.md"), format!("{before}{BEGIN}{wanted}{END}{after}")).expect("README.md is written");
        return;
    }
    let difference: Vec<&str> = wanted.lines().filter(|line| !inside.contains(line)).take(3).collect();
    assert!(
        inside == wanted,
        "README.md does not have the variables of src/spec/vars/table.rs; to write them there: {UPDATE}\nmissing: {difference:#?}"
    );
}

/// Commands, arguments and exit codes: `--help` and docs/commands.md are made of one source.
#[test]
fn the_commands_are_those_of_the_command_line() {
    let document = read("docs/commands.md");
    let (begin, end) = ("<!-- BEGIN COMMANDS -->\n", "<!-- END COMMANDS -->");
    let (before, rest) = document.split_once(begin).expect("docs/commands.md has the marker BEGIN COMMANDS");
    let (inside, after) = rest.split_once(end).expect("docs/commands.md has the marker END COMMANDS");
    let wanted = format!("\n{}", pgcluster::cli::markdown());
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(root().join("docs/commands.md"), format!("{before}{begin}{wanted}{end}{after}"))
            .expect("docs/commands.md is written");
        return;
    }
    assert!(inside == wanted, "docs/commands.md does not have the commands of src/cli.rs; to write them there: {UPDATE}");
}

#[test]
fn every_exit_code_is_in_the_readme() {
    let readme = read("README.md");
    for (code, meaning) in pgcluster::exit::CODES {
        assert!(readme.contains(&format!("| {code} | {meaning} |")), "README.md lacks exit code {code}: {meaning}");
    }
}

/// Code of a document: what stands between backticks, fenced or not.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|code| !code.is_empty())
}

#[test]
fn every_command_exists() {
    let cli = Cli::command();
    let known: Vec<&str> = cli.get_subcommands().map(|command| command.get_name()).collect();
    for document in DOCUMENTS {
        let text = read(document);
        for (code, at) in code(&text).flat_map(|code| code.match_indices("pgcluster ").map(move |(at, _)| (code, at))) {
            // A name in front of it makes another word of it: `-p pgcluster ` of compose, a path, a stack's name.
            let first = code[at + "pgcluster ".len()..].split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next();
            let is_command = first.is_some_and(|word| word.starts_with("--") || known.contains(&word));
            let line = code[at..].lines().next().unwrap_or_default();
            assert!(is_command, "{document} names a command that does not exist: {line}\nthere are: {known:?}");
        }
    }
}

#[test]
fn every_command_is_in_the_readme() {
    let readme = read("README.md");
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        assert!(readme.contains(&format!("`pgcluster {}", command.get_name())), "README.md lacks {}", command.get_name());
    }
}

#[test]
fn every_link_leads_somewhere() {
    for document in DOCUMENTS {
        let text = read(document);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            if target.contains("://") {
                continue;
            }
            assert!(file.is_empty() || root().join(file).exists(), "{document} links to {target}");
            let linked = if file.is_empty() { text.clone() } else { fs::read_to_string(root().join(file)).unwrap_or_default() };
            assert!(heading.is_empty() || anchors(&linked).any(|anchor| anchor == heading), "{document} links to {target}");
        }
    }
}

/// How the headings of a Markdown text are addressed.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| line.strip_prefix('#')).map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        heading.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    })
}

/// Paths of ours that ARCHITECTURE.md names: under the folders below, without a placeholder.
#[test]
fn every_file_of_the_architecture_exists() {
    let text = read("ARCHITECTURE.md");
    let folders = ["src/", "tests/", "templates/", "compose/", "docker/", "benches/"];
    let paths = code(&text).filter(|code| folders.iter().any(|folder| code.starts_with(folder)));
    let mut seen = 0;
    for path in paths.filter(|path| !path.contains(['<', '*', '{', ' '])) {
        seen += 1;
        assert!(root().join(path).exists(), "ARCHITECTURE.md names {path}");
    }
    assert!(seen > 20, "only {seen} paths found: are they in backticks?");
}

/// `folder/` as a heading, then `- `file.rs` what it holds` lines: the files of that folder.
#[test]
fn every_file_of_a_folder_list_exists() {
    let text = read("ARCHITECTURE.md");
    let mut folder = None;
    for line in text.lines() {
        if line.starts_with('#') {
            folder = line.split('`').nth(1).filter(|name| name.starts_with("src/") && name.ends_with('/'));
        }
        let (Some(folder), Some(row)) = (folder, line.strip_prefix("| `")) else { continue };
        for name in row.split('|').next().unwrap_or_default().split('`').filter(|name| name.ends_with(".rs")) {
            assert!(root().join(folder).join(name).exists(), "ARCHITECTURE.md lists {folder}{name}");
        }
    }
}
