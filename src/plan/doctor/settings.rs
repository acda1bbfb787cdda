//! Parameters on which durability, elections and rejoining rest.

use super::{Check, Scope, codes, server, servers};
use crate::model::Checkup;

pub const CHECKS: &[Check] = &[
    Check::new(codes::FSYNC_OFF, Scope::Cluster, fsync),
    Check::new(codes::COMMIT_NOT_SYNC, Scope::Cluster, synchronous_commit),
    Check::new(codes::SYNC_NAMES, Scope::Cluster, sync_names),
    Check::new(codes::CRASH_RESTART, Scope::Cluster, crash_restart),
    Check::new(codes::SILENCE_UNSEEN, Scope::Cluster, silence),
    Check::new(codes::NO_REWIND, Scope::Cluster, rewind),
    Check::new(codes::NO_CHECKSUMS, Scope::Cluster, checksums),
    Check::new(codes::STANDBY_SMALLER, Scope::Cluster, smaller),
    Check::new(codes::PENDING_RESTART, Scope::Cluster, pending),
    Check::new(codes::SETTING_ERROR, Scope::Cluster, errors),
];

/// Names of those settings that have this value.
fn having(checkup: &Checkup, names: &[&str], value: &str) -> Vec<String> {
    server(checkup, |node, server| {
        let bad: Vec<&str> = names.iter().copied().filter(|name| server.setting(name) == value).collect();
        (!bad.is_empty()).then(|| format!("{}: {} is {value}", node.name, bad.join(" and ")))
    })
}

fn fsync(checkup: &Checkup) -> Vec<String> {
    having(checkup, &["fsync", "full_page_writes"], "off")
}

/// `remote_write` and stronger: a standby has it. `local` and `off`: nobody may.
fn synchronous_commit(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let value = server.setting("synchronous_commit");
        (checkup.is_sync && ["off", "local"].contains(&value)).then(|| format!("{}: synchronous_commit is {value}", node.name))
    })
}

pub(super) fn sync_names(checkup: &Checkup) -> Vec<String> {
    let is_wrong = checkup.is_sync && checkup.nodes.len() > 1;
    server(checkup, |node, server| {
        (is_wrong && !server.is_standby && server.setting("synchronous_standby_names").is_empty())
            .then(|| format!("{}: synchronous_standby_names is empty", node.name))
    })
}

fn crash_restart(checkup: &Checkup) -> Vec<String> {
    having(checkup, &["restart_after_crash"], "on")
}

fn silence(checkup: &Checkup) -> Vec<String> {
    having(checkup, &["wal_sender_timeout", "wal_receiver_timeout"], "0")
}

fn rewind(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (server.setting("data_checksums") == "off" && server.setting("wal_log_hints") == "off")
            .then(|| format!("{}: data_checksums and wal_log_hints are off", node.name))
    })
}

fn checksums(checkup: &Checkup) -> Vec<String> {
    having(checkup, &["data_checksums"], "off")
}

fn smaller(checkup: &Checkup) -> Vec<String> {
    let primary = checkup.nodes.iter().find_map(|node| node.server.as_ref().filter(|server| !server.is_standby));
    server(checkup, |node, server| {
        let shortage = server.floor.shortage(primary.filter(|_| server.is_standby)?.floor)?;
        Some(format!("{}: {shortage}", node.name))
    })
}

fn pending(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (!server.pending_restart.is_empty()).then(|| format!("{}: {}", node.name, server.pending_restart.join(", ")))
    })
}

fn errors(checkup: &Checkup) -> Vec<String> {
    servers(checkup, |node, server| server.bad_settings.iter().map(|error| format!("{}: {error}", node.name)).collect())
}
