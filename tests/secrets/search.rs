//! Where a password could be read by somebody who must not: each place, searched.

use std::collections::BTreeSet;

use crate::build::Cluster;
use crate::docker::{search_files, try_docker};
use crate::forms::Form;
use crate::watcher::Watcher;

/// A place and what was found there: `log of pg02: REPMGRPWD, base64`.
pub type Findings = BTreeSet<String>;

/// Where secrets belong: private files on a tmpfs.
const HOMES: [&str; 2] = ["/run/pgcluster/", "/etc/pgpool-II/"];

/// Everything that can be written in a container, but not the operator's secrets. Whatever of it a password is in, with its mode.
const FILES: &str = "grep -raFlf - --devices=skip --exclude-dir=secrets --exclude-dir=lock \
    /run /tmp /etc/pgcluster /etc/pgpool-II /etc/repmgr /u01 /dev/shm /var /home /root 2>/dev/null \
    | while read -r file; do stat -c '%a %n' \"$file\"; done; true";

/// What psql shows to a superuser.
const TABLES: [&str; 9] = [
    "repmgr.nodes",
    "repmgr.events",
    "pgcluster.epoch",
    "pgcluster.service",
    "pg_settings",
    "pg_stat_activity",
    "pg_stat_replication",
    "pg_stat_wal_receiver",
    "pg_db_role_setting",
];

/// What an operator pastes into a ticket.
const COMMANDS: &str =
    "for command in status 'status --json' env 'env --json' render check reload; do pgcluster $command 2>&1; done; true";

pub fn search(cluster: &Cluster, watcher: &Watcher, forms: &[Form]) -> Findings {
    let mut found = Findings::new();
    for line in watcher.seen().lines() {
        let place = if line.contains("/cmdline:") { "arguments of a process" } else { "environment of a process" };
        look(&mut found, place, line, forms);
    }
    for name in cluster.names().iter().filter(|name| cluster.is_running(name)) {
        look(&mut found, &format!("log of {name}"), &cluster.logs(name), forms);
        files(&mut found, cluster, name, forms);
        let said = cluster.try_exec(name, &["sh", "-c", COMMANDS]);
        look(&mut found, &format!("commands on {name}"), &said.unwrap_or_else(|stderr| stderr), forms);
    }
    let select: Vec<String> = TABLES.iter().map(|table| format!("SELECT '{table}=' || t::text FROM {table} t")).collect();
    for node in cluster.nodes.iter().filter(|node| cluster.is_running(node)) {
        let rows = cluster.sql_in(node, "repmgr", &select.join(" UNION ALL "));
        for row in rows.lines() {
            let table = TABLES.iter().find(|table| row.starts_with(&format!("{table}="))).unwrap_or(&"pg_stat_activity");
            look(&mut found, &format!("{table} on {node}"), row, forms);
        }
    }
    found
}

fn look(found: &mut Findings, place: &str, text: &str, forms: &[Form]) {
    found.extend(forms.iter().filter(|form| text.contains(&form.text)).map(|form| format!("{place}: {}", form.what)));
}

fn files(found: &mut Findings, cluster: &Cluster, name: &str, forms: &[Form]) {
    let patterns: String = forms.iter().map(|form| form.text.clone() + "\n").collect();
    for line in search_files(&cluster.container(name), FILES, &patterns).lines() {
        let (mode, file) = line.split_once(' ').expect("mode and name");
        let is_private = u32::from_str_radix(mode, 8).expect("an octal mode") & 0o177 == 0;
        if !(is_private && HOMES.iter().any(|home| file.starts_with(home))) {
            found.insert(format!("file of {name}: {file}, mode {mode}"));
        }
    }
}

/// The soft limit of core files that the server of `node` has.
pub fn core_limit(cluster: &Cluster, node: &str) -> String {
    let script = "awk '/core file/ {print $5}' /proc/$(head -n 1 /u01/pg17/data/postmaster.pid)/limits";
    try_docker(&["exec", "-u", "50010", &cluster.container(node), "sh", "-c", script]).expect("the server's limits")
}
