//! WAL that is kept, indexes that may be wrong, and room.

use super::{Check, Scope, codes, server, servers};
use crate::model::{Checkup, NodeId};
use crate::render::text::bytes;

pub const CHECKS: &[Check] = &[
    Check::new(codes::SLOT_STRANGER, Scope::Cluster, strangers),
    Check::new(codes::SLOT_LOST, Scope::Cluster, lost),
    Check::new(codes::SLOT_UNBOUNDED, Scope::Cluster, unbounded),
    Check::new(codes::ARCHIVE_FAILS, Scope::Cluster, archive),
    Check::new(codes::COLLATION_CHANGED, Scope::Cluster, collations),
    Check::new(codes::WRAPAROUND, Scope::Cluster, wraparound),
    Check::new(codes::SESSIONS_FULL, Scope::Cluster, sessions),
    Check::new(codes::DISK_LOW, Scope::Database, disk),
    Check::new(codes::WAL_ROOM, Scope::Database, wal_room),
];

/// Autovacuum begins to hurry at 200 million; this is far beyond.
const XID_AGE: i64 = 1_000_000_000;

/// Slots of nodes in the list are ours, in use or not.
fn strangers(checkup: &Checkup) -> Vec<String> {
    let ours: Vec<String> =
        (1..=checkup.nodes.len() as u32).map(NodeId).flat_map(|id| [id.slot_name(), id.keeper_name()]).collect();
    servers(checkup, |node, server| {
        let strange = server.slots.iter().filter(|slot| !slot.is_active && !ours.contains(&slot.name));
        strange.map(|slot| format!("{}: slot {} is not in use", node.name, slot.name)).collect()
    })
}

fn lost(checkup: &Checkup) -> Vec<String> {
    servers(checkup, |node, server| {
        let lost = server.slots.iter().filter(|slot| slot.wal_status == "lost");
        lost.map(|slot| format!("{}: the WAL of slot {} is gone", node.name, slot.name)).collect()
    })
}

fn unbounded(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (checkup.is_cluster && server.setting("max_slot_wal_keep_size") == "-1")
            .then(|| format!("{}: max_slot_wal_keep_size is -1", node.name))
    })
}

fn archive(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| Some(format!("{}: {} was not archived", node.name, server.unarchived.as_ref()?)))
}

/// The catalog is the primary's, the library each node's own.
fn collations(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (!server.old_collations.is_empty()).then(|| format!("{}: databases {}", node.name, server.old_collations.join(", ")))
    })
}

fn wraparound(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        (!server.is_standby && server.oldest_xid_age > XID_AGE)
            .then(|| format!("{}: the oldest transaction is {} million ago", node.name, server.oldest_xid_age / 1_000_000))
    })
}

fn sessions(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let (used, most) = server.sessions;
        (most > 0 && used * 10 > most * 9).then(|| format!("{}: {used} of {most} connections are in use", node.name))
    })
}

fn disk(checkup: &Checkup) -> Vec<String> {
    let Some(here) = &checkup.here.database else { return Vec::new() };
    let (free, all) = here.disk;
    (all > 0 && free < all / 10)
        .then(|| format!("{}: {} of {} are free", here.name, bytes(free), bytes(all)))
        .into_iter()
        .collect()
}

fn wal_room(checkup: &Checkup) -> Vec<String> {
    let Some(here) = &checkup.here.database else { return Vec::new() };
    let server = checkup.nodes.iter().find(|node| node.name == here.name).and_then(|node| node.server.as_ref());
    // pg_settings gives megabytes; a standby may become primary at any time.
    let Some(megabytes) = server.and_then(|server| server.setting("max_slot_wal_keep_size").parse::<u64>().ok()) else {
        return Vec::new();
    };
    let (free, most) = (here.disk.0, megabytes << 20);
    (checkup.is_cluster && here.disk.1 > 0 && free < most)
        .then(|| format!("{}: {} are free, slots may keep {}", here.name, bytes(free), bytes(most)))
        .into_iter()
        .collect()
}
