//! Not our own words: pgpool's, repmgr's and PostgreSQL's.

use crate::cluster::{Cluster, SCRAM, SUPERUSER};
use crate::docker::eventually;

pub fn agree(cluster: &Cluster) {
    let expected = [("pg01", "up", "primary"), ("pg02", "up", "standby"), ("pg03", "up", "standby")];
    eventually("SHOW POOL_NODES: all up, one primary", || {
        let nodes = cluster.run("orders_user", "SHOW POOL_NODES").expect("pgpool shows its nodes");
        let rows = nodes.lines().map(|line| line.split('|').collect::<Vec<_>>());
        rows.map(|row| (row[1].to_string(), row[3].to_string(), row[6].to_string()))
            .eq(expected.map(|(name, status, role)| (name.to_string(), status.to_string(), role.to_string())))
    });

    let streaming = "SELECT string_agg(application_name || ' ' || state || ' ' || sync_state, ', ' ORDER BY application_name) FROM pg_stat_replication";
    eventually("two streaming quorum standbys", || {
        cluster.primary().sql("postgres", streaming) == "pg02 streaming quorum, pg03 streaming quorum"
    });
    for node in &cluster.nodes {
        let shown = node.exec(&["repmgr", "cluster", "show", "--csv"]);
        // node_id, connection status (0 = up), role in recovery (0 = primary, 1 = standby)
        let mut lines: Vec<&str> = shown.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["1,0,0", "2,0,1", "3,0,1"], "{}: {shown}", node.name);
        let table = node.exec(&["repmgr", "cluster", "show"]);
        assert!(!table.contains("WARNING") && !table.contains("ERROR"), "{table}");
    }
    let count = cluster.pgpool.exec(&["pcp_node_count", "-w", "-h", "localhost", "-U", "pgpool"]);
    assert_eq!(count, "3", "the pcp password is in the pass file");
    // The superuser is not in pool_passwd: the clear password inside TLS, checked by PostgreSQL.
    assert_eq!(
        cluster.run_with("postgres", SUPERUSER, "sslmode=require", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
        Ok("t".into())
    );
    assert!(cluster.run_with("postgres", SUPERUSER, SCRAM, "SELECT 1").is_err());
}
