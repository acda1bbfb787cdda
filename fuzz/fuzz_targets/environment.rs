//! The whole environment of a container, `NAME=value` by line or NUL: valid or refused with a reason, and a secret is never repeated.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::render::{pgpool_files, postgres_files};
use pgcluster::spec::{HostFacts, RawEnv, Snapshot, VARS, Violations, pgpool_spec, postgres_spec, resolved, wanted_files};
use pgcluster_fuzz::{pgpool_facts, postgres_facts};

/// Every secret has this word in it, and nothing else has.
const MARK: &str = "S3CR3T";

fn is_secret(name: &str) -> bool {
    VARS.iter().any(|var| var.is_secret() && (var.name == name || var.aliases.contains(&name)))
}

fuzz_target!(|text: &str| {
    let mut snapshot = Snapshot::default();
    for line in text.split(['\n', '\0']) {
        let Some((name, value)) = line.split_once('=') else { continue };
        let value = value.replace(MARK, "");
        let value = if is_secret(name) { format!("{MARK}{value}") } else { value };
        snapshot.vars.push((name.to_owned(), value));
    }
    for (name, path) in wanted_files(&snapshot.vars) {
        // A file that says what its path says, if it can be read at all.
        let mark = if is_secret(&name) { MARK } else { "" };
        let content = if path.len() % 3 == 0 { Err("No such file".to_owned()) } else { Ok(format!("{mark}{path}\n")) };
        snapshot.files.insert(name, content);
    }
    // Templates take a hundred times as long as all the rest.
    let renders = text.bytes().fold(0_u8, u8::wrapping_add) % 100 == 0;
    let raw = RawEnv::read(&snapshot);
    let host = HostFacts { host_name: "pg01".into() };
    let _ = format!("{:?}", resolved(&raw));
    match postgres_spec(&raw, &host) {
        Ok(spec) => {
            assert_eq!(spec.node().number, spec.me);
            assert!(spec.data_dir.is_absolute() && spec.settings.is_sorted_by_key(|setting| &setting.name));
            assert!(!format!("{spec:?}").contains(MARK), "a secret in a debug print");
            if renders && let Ok(files) = postgres_files(&spec, &postgres_facts()) {
                for file in &files {
                    assert!(file.mode == 0o600 || !file.body.contains(MARK), "a secret in {}", file.path.display());
                    assert!(!file.body.contains('\0'), "a NUL in {}", file.path.display());
                }
            }
        }
        Err(found) => is_said_well(&found),
    }
    match pgpool_spec(&raw, &host) {
        Ok(spec) => {
            assert!(!format!("{spec:?}").contains(MARK), "a secret in a debug print");
            let facts = pgpool_facts((4, 6), spec.cluster.nodes.len());
            if renders && let Ok(files) = pgpool_files(&spec, &facts) {
                for file in &files {
                    assert!(file.mode == 0o600 || !file.body.contains(MARK), "a secret in {}", file.path.display());
                    assert!(!file.body.contains('\0'), "a NUL in {}", file.path.display());
                }
            }
        }
        Err(found) => is_said_well(&found),
    }
});

fn is_said_well(found: &Violations) {
    assert!(!found.is_empty());
    for violation in found.iter() {
        assert!(!violation.rule.is_empty() && !violation.hint.is_empty(), "{violation:?}");
    }
    assert!(!format!("{found}\n{found:?}").contains(MARK), "a message that repeats a secret: {found}");
}
