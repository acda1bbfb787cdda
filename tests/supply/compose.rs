//! The compose files, as `docker compose` itself understands them: every container is confined, and the tests confine theirs alike.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::docker::container::confinement;

/// What compose is given together. A Swarm stack has no `security_opt`.
const FILES: [&[&str]; 5] = [
    &["compose.yaml"],
    &["compose.yaml", "compose/tls.yml"],
    &["compose/single.yml"],
    &["compose/two-nodes.yml"],
    &["compose/swarm.yml"],
];

fn services(files: &[&str]) -> Vec<(String, Value)> {
    let files: Vec<&str> = files.iter().flat_map(|file| ["-f", file]).collect();
    let line = [&["compose"], &files[..], &["config", "--format", "json"]].concat();
    let output = Command::new("docker").args(line).output().unwrap();
    assert!(output.status.success(), "{files:?}: {}", String::from_utf8_lossy(&output.stderr));
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    config["services"].as_object().unwrap().iter().map(|(name, service)| (name.clone(), service.clone())).collect()
}

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_container_is_confined() {
    for files in FILES {
        let services = services(files);
        assert!(!services.is_empty());
        for (name, service) in services {
            let place = format!("{files:?}, {name}");
            assert_eq!(texts(&service["cap_drop"]), BTreeSet::from(["ALL".to_owned()]), "{place}: cap_drop");
            assert_eq!(service["read_only"], true, "{place}: read_only");
            assert!(
                files == ["compose/swarm.yml"] || texts(&service["security_opt"]).contains("no-new-privileges:true"),
                "{place}"
            );
            for gives in ["cap_add", "privileged", "user", "pid", "ipc", "userns_mode", "network_mode", "devices"] {
                assert!(matches!(service.get(gives), None | Some(Value::Null)), "{place}: {gives} is {}", service[gives]);
            }
            let is_socket = |volume: &Value| volume["source"].as_str().is_some_and(|source| source.contains("docker.sock"));
            assert!(
                !service["volumes"].as_array().is_some_and(|volumes| volumes.iter().any(is_socket)),
                "{place}: a docker socket"
            );
        }
    }
}

/// By default nobody but this host reaches a port.
#[test]
fn the_default_file_publishes_on_loopback_only() {
    for (name, service) in services(&["compose.yaml"]) {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert_eq!(port["host_ip"], "127.0.0.1", "{name}: {port}");
        }
    }
}

/// `/run/x:uid=1,mode=2` and `--tmpfs=/run/x:mode=02,uid=1` are the same.
fn mounts(lines: impl Iterator<Item = String>) -> BTreeSet<(String, BTreeSet<String>)> {
    let mount = |line: String| {
        let (place, options) = line.split_once(':').unwrap_or((&line, ""));
        (place.to_owned(), options.split(',').map(|option| option.replace("mode=0", "mode=")).collect())
    };
    lines.map(mount).collect()
}

#[test]
fn the_tests_run_as_the_default_file_does() {
    for (name, service) in services(&["compose.yaml"]) {
        let kind = if name.starts_with("pgpool") { "pgpool" } else { "postgres" };
        let options = confinement(kind);
        for option in ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"] {
            assert!(options.iter().any(|other| other == option), "{option}");
        }
        let ours = options.iter().filter_map(|option| option.strip_prefix("--tmpfs=").map(str::to_owned));
        assert_eq!(mounts(ours), mounts(texts(&service["tmpfs"]).into_iter()), "{name}");
    }
}
