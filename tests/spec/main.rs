//! Environments as operators write them, and what becomes of them: a spec, or messages.

mod properties;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pgcluster::spec::{HostFacts, RawEnv, Snapshot, Violations, pgpool_spec, postgres_spec};

/// A fixture: `NAME=value` lines (`\n` stands for a newline) and headers.
struct Fixture {
    image: String,
    host: HostFacts,
    snapshot: Snapshot,
}

/// Headers: `# image: postgres`, `# host: pg02`, `# file: NAME=content`, `# unreadable: NAME=reason`; other comments are prose.
fn fixture(path: &Path) -> Fixture {
    let text = fs::read_to_string(path).expect("a fixture");
    let (mut image, mut host_name) = (None, None);
    let mut snapshot = Snapshot { vars: Vec::new(), files: BTreeMap::new() };
    let pair = |text: &str| {
        let (name, value) = text.split_once('=').expect("NAME=value");
        (name.to_owned(), value.replace("\\n", "\n").replace("\\r", "\r").replace("\\x07", "\x07"))
    };
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ").map(|header| header.split_once(": ")) {
            Some(Some(("image", name))) => image = Some(name.to_owned()),
            Some(Some(("host", name))) => host_name = Some(name.to_owned()),
            Some(Some(("file", file))) => {
                let (name, content) = pair(file);
                snapshot.files.insert(name, Ok(content));
            }
            Some(Some(("unreadable", file))) => {
                let (name, reason) = pair(file);
                snapshot.files.insert(name, Err(reason));
            }
            Some(_) => {}
            None => snapshot.vars.push(pair(line)),
        }
    }
    let image = image.unwrap_or_else(|| panic!("{} needs `# image:`", path.display()));
    let default_host = if image == "postgres" { "pg01" } else { "pgpool01" };
    let host = HostFacts { host_name: host_name.unwrap_or_else(|| default_host.to_owned()) };
    Fixture { image, host, snapshot }
}

/// The spec as Debug text, which hides secrets.
fn spec(fixture: &Fixture) -> Result<String, Violations> {
    let raw = RawEnv::read(&fixture.snapshot);
    match fixture.image.as_str() {
        "postgres" => postgres_spec(&raw, &fixture.host).map(|spec| format!("{spec:#?}")),
        "pgpool" => pgpool_spec(&raw, &fixture.host).map(|spec| format!("{spec:#?}")),
        other => panic!("no image {other}"),
    }
}

fn fixtures(folder: &str) -> Vec<(String, Fixture)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec").join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let named = |path: &Path| (path.file_stem().expect("a name").to_string_lossy().into_owned(), fixture(path));
    paths.iter().map(|path| named(path)).collect()
}

#[test]
fn every_broken_rule_has_its_message() {
    let bad = fixtures("bad");
    assert!(bad.len() >= 45);
    let (mut messages, mut more_than_one) = (String::new(), Vec::new());
    for (name, fixture) in &bad {
        let found = spec(fixture).expect_err(name);
        let all_at_once = name.ends_with("_all_at_once");
        if !all_at_once && found.iter().count() != 1 {
            more_than_one.push(format!("{name}:\n{found}"));
        }
        for violation in found.iter() {
            assert!(!violation.rule.is_empty() && !violation.hint.is_empty(), "{name} lacks a rule or a hint:\n{found}");
        }
        messages.push_str(&format!("[{name}, {}]\n{found}\n\n", fixture.image));
    }
    assert!(more_than_one.is_empty(), "a fixture breaks one rule, but:\n{}", more_than_one.join("\n"));
    insta::assert_snapshot!("messages", messages);
}

#[test]
fn good_environments_become_specs() {
    let good = fixtures("good");
    assert!(good.len() >= 12);
    for (name, fixture) in &good {
        let text = spec(fixture).unwrap_or_else(|found| panic!("{name}:\n{found}"));
        for (variable, value) in &fixture.snapshot.vars {
            let secret = pgcluster::spec::vars::find(variable).is_some_and(|var| var.is_secret());
            assert!(!secret || !text.contains(value.as_str()), "{name} shows {variable}");
        }
        insta::assert_snapshot!(name.as_str(), text);
    }
}
