//! Variables of the original project whose job is done in another way today: each is accepted where it agrees, else refused
//! with what replaces it.

use super::raw::RawEnv;
use super::types::{ClusterKind, ClusterSpec};
use super::violation::{Violation, Violations};
use crate::model::NodeNumber;

pub(super) fn check_postgres(raw: &RawEnv, cluster: Option<&ClusterSpec>, me: Option<NodeNumber>, found: &mut Violations) {
    let text = &raw.postgres;
    if let (Some(role), Some(cluster), Some(me)) = (text.initial_node_type.as_deref(), cluster, me) {
        let agrees = initial_node_type(role.trim(), cluster, me);
        found.take(agrees.map_err(|(rule, hint)| Violation::of("INITIAL_NODE_TYPE", role, rule, hint)));
    }
    match text.repmgrd_failover_mode.as_deref().map(str::trim) {
        None | Some("manual") => {}
        Some(mode) => {
            let hint = "for repmgrd set FAILOVER_MODE=repmgrd and unset this; else pgcluster promotes (FAILOVER_MODE=auto)";
            found.add(Violation::of("REPMGRD_FAILOVER_MODE", mode, "only manual is accepted", hint));
        }
    }
    match (text.archivelog.as_deref().map(str::trim), text.archive_dir.as_deref()) {
        (None | Some("0"), None) | (None | Some("1"), Some(_)) => {}
        (Some("1"), None) => {
            let hint = "set ARCHIVE_DIR=/u02/archive, as the original had it, and mount a volume there; or unset ARCHIVELOG";
            found.add(Violation::of("ARCHIVELOG", "1", "needs ARCHIVE_DIR", hint));
        }
        (Some("0"), Some(_)) => {
            found.add(Violation::of("ARCHIVELOG", "0", "contradicts ARCHIVE_DIR", "unset one of the two"));
        }
        (Some(other), _) => {
            found.add(Violation::of("ARCHIVELOG", other, "not 0 or 1", "unset it; ARCHIVE_DIR says it all"));
        }
    }
}

fn initial_node_type(role: &str, cluster: &ClusterSpec, me: NodeNumber) -> Result<(), (String, &'static str)> {
    const NO_LIST: &str = "set PG_BACKEND_NODE_LIST in every container";
    const MASTER: &str =
        "unset it: PGMASTER_NODE_NAME names the first primary in all containers alike, and later the cluster itself does";
    match (role, cluster.kind) {
        ("single", _) if cluster.nodes.len() == 1 => Ok(()),
        ("single", _) => Err((format!("there are {} nodes in PG_BACKEND_NODE_LIST", cluster.nodes.len()), MASTER)),
        ("master" | "primary", ClusterKind::Standalone) => Err(("there is no PG_BACKEND_NODE_LIST".to_owned(), NO_LIST)),
        ("slave" | "standby", ClusterKind::Standalone) => Err(("there is no PG_BACKEND_NODE_LIST".to_owned(), NO_LIST)),
        ("master" | "primary", ClusterKind::Cluster) if cluster.bootstrap == me => Ok(()),
        ("slave" | "standby", ClusterKind::Cluster) if cluster.bootstrap != me => Ok(()),
        ("master" | "primary" | "slave" | "standby", ClusterKind::Cluster) => {
            let first = cluster.nodes[cluster.bootstrap.index()].name.as_str();
            let me = cluster.nodes[me.index()].name.as_str();
            Err((format!("this is {me}, and the first primary is {first}"), MASTER))
        }
        _ => Err(("not master, slave or single".to_owned(), MASTER)),
    }
}

pub(super) fn check_pgpool(raw: &RawEnv, found: &mut Violations) {
    if let Some(level) = raw.pgpool.debug_level.as_deref().filter(|level| level.trim() != "0") {
        let hint = "set PGPOOL_log_min_messages=debug1 (to debug5) for pgpool's own messages, LOG_LEVEL=debug for pgcluster's";
        found.add(Violation::of("DEBUG_LEVEL", level, "pgpool has no such parameter any more", hint));
    }
}
