//! What the reading commands say, against the words of psql, repmgr, pgpool and the kernel, in one cluster that real faults befall.
#![allow(clippy::unwrap_used)]

#[path = "../cluster/build.rs"]
mod build;
#[path = "../docker/mod.rs"]
mod docker;
#[path = "../cluster/health.rs"]
mod health;
#[path = "../cluster/node.rs"]
mod node;
#[path = "../cluster/turn.rs"]
mod turn;

mod ask;
mod faults;
mod old_lines;
mod rare;
mod words;

use build::Cluster;

/// One cluster for all of it: a start costs more than everything that is asked. Nothing promotes by itself, so that states stay.
#[test]
fn a_cluster_seen_in_health_and_in_trouble() {
    let cluster = Cluster::nodes("see", 3).pgpool().restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    ask::the_truth(&cluster);
    words::what_is_written(&cluster);
    words::who_logs_in(&cluster);
    words::nothing_is_left_behind(&cluster);
    old_lines::every_line_of_the_table(&cluster);
    cluster.wait_healthy("pg01");
    faults::replay_is_paused(&cluster);
    faults::metadata_lie(&cluster);
    faults::failover_is_paused(&cluster);
    faults::a_standby_is_paused(&cluster);
    faults::standbys_are_stopped(&cluster);
    faults::the_primary_is_paused(&cluster);
    rare::pgpool_is_silent(&cluster);
    rare::a_node_is_cloning(&cluster);
}
