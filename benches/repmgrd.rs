//! The peer of a failover: repmgr's own daemon, three nodes of the same image, its fastest settings (peers/repmgrd).

use anyhow::Context;

use crate::cluster::{NODES, node_name};
use crate::docker::{Scope, docker, logs, try_docker};
use crate::fault::run;
use crate::files::Files;
use crate::setup::Setup;
use crate::view::wait;
use crate::writer::{Route, Writer};

/// Slow, and about the same each time.
const RUNS: usize = 2;
const ENTRYPOINT: &str = include_str!("peers/repmgrd");
const STREAMING: &str = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'";
const REGISTERED: &str = "SELECT count(*) FROM repmgr.nodes WHERE active";

/// The longest write gap of a client with all nodes when the primary's container is killed.
pub fn gaps_ms(setup: &Setup) -> anyhow::Result<Vec<f64>> {
    (0..setup.runs.min(RUNS)).map(|_| gap_ms(setup)).collect()
}

fn gap_ms(setup: &Setup) -> anyhow::Result<f64> {
    let scope = Scope::new("bench-repmgrd");
    docker(&["network", "create", "--label", &scope.label(), &scope.name]);
    let files = Files::new();
    files.write_with_mode("repmgrd", ENTRYPOINT, 0o755);
    let container = |node: usize| format!("{}-{}", scope.name, node_name(node));
    for node in 1..=NODES {
        docker(&[
            "run",
            "-d",
            "--init",
            "--no-healthcheck",
            "--cpu-shares=262144",
            "--shm-size=256m",
            "--label",
            &scope.label(),
            "--name",
            &container(node),
            "--network",
            &scope.name,
            "--network-alias",
            &node_name(node),
            "--env",
            &format!("NODE={node}"),
            "--volume",
            &files.at("/peer"),
            "--entrypoint",
            "/peer/repmgrd",
            &setup.postgres_image(),
        ]);
    }
    let first = container(1);
    let count = |statement: &str| try_docker(&["exec", &first, "psql", "-XAtq", "-U", "repmgr", "-c", statement, "repmgr"]);
    wait("repmgr to have three nodes", || {
        (count(STREAMING) == Ok("2".into()) && count(REGISTERED) == Ok("3".into())).then_some(())
    })
    .with_context(|| (1..=NODES).map(|node| logs(&container(node))).collect::<String>())?;
    let hosts = (1..=NODES).map(node_name).collect::<Vec<_>>().join(",");
    let conninfo = format!("host={hosts} user=repmgr dbname=repmgr target_session_attrs=read-write connect_timeout=2");
    let route = Route { name: "to repmgr's primary", check: conninfo.clone(), conninfo, patience_s: 3 };
    let mut writer = Writer::start(&scope, &setup.postgres_image(), "direct", &route, "")?;
    // A repmgrd that has just started would take longer.
    std::thread::sleep(std::time::Duration::from_secs(5));
    writer.mark()?;
    run(&["kill", &first])?;
    writer.wait_for_writes()?;
    let gap = writer.gap_ms()?;
    eprintln!("  repmgrd: gap {gap:.0} ms, {} rows lost", writer.newly_lost()?);
    Ok(gap)
}
