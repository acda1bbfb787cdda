//! docs/commands.md: every line that replaces one of the old documents' lines works.

use std::process::Command;
use std::time::Duration;

use crate::build::{Cluster, USER_PASSWORD};

const DOCUMENT: &str = include_str!("../../docs/commands.md");

/// The code of the last column of each row of the first table.
fn lines() -> Vec<String> {
    let (_, table) = DOCUMENT.split_once("## From the old command lines").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let code = |row: &str| {
        let row = row.trim().trim_end_matches('|').trim_end().strip_suffix('`')?;
        Some(row[row.rfind("`docker compose ")? + 1..].replace("\\|", "|"))
    };
    table.lines().filter(|line| line.starts_with('|')).filter_map(code).collect()
}

/// The same with the containers of this test.
fn here(cluster: &Cluster, line: &str) -> String {
    let mut words = line.split(' ').skip(2).map(str::to_owned).collect::<Vec<_>>();
    let is_name = |word: &String| cluster.names().contains(word);
    let at = words.iter().position(is_name).unwrap_or_else(|| panic!("{line} names no container"));
    words[at] = cluster.container(&words[at]);
    let options = if words[0] == "exec" { format!("-u 50010 -e PGPASSWORD={USER_PASSWORD} ") } else { String::new() };
    format!("docker {} {options}{}", words[0], words[1..].join(" "))
}

pub fn every_line_of_the_table(cluster: &Cluster) {
    let lines = lines();
    assert!(lines.len() > 25, "only {} lines found", lines.len());
    for line in lines {
        let command = here(cluster, &line);
        // psql as repmgr by pass file needs no password; a wrong one in the environment would come first.
        let command = if command.contains("-h 127.0.0.1") {
            command
        } else {
            command.replace(&format!("-e PGPASSWORD={USER_PASSWORD} "), "")
        };
        let run = || Command::new("timeout").args(["60", "sh", "-c", &command]).output().unwrap();
        let mut output = run();
        // A node that did not answer in time; nothing here may not be said twice.
        if !output.status.success() {
            std::thread::sleep(Duration::from_secs(5));
            output = run();
        }
        let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
        let waits = line.contains("start pg03")
            || line.contains("attach pg03")
            || line.contains("rejoin")
            || line.contains("start pgpool")
            || line.contains("stop pg02");
        assert!(output.status.success(), "{line}: {}\n{said}", output.status);
        assert!(!said.is_empty() || waits || line.contains("detach"), "{line} says nothing");
        if waits {
            cluster.wait_healthy("pg01");
        }
    }
}
