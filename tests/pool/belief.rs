//! What pgpool believes, in its own words, and how long it takes to be right.

use std::time::{Duration, Instant};

use crate::build::{Cluster, OWNER_PASSWORD, POOL};
use crate::docker::{docker, try_docker};

/// Of the image's HEALTHCHECK.
pub const INTERVAL: Duration = Duration::from_secs(5);
/// What a check and its orders may take on a machine that has other things to do.
pub const SLACK: Duration = Duration::from_secs(6);
/// For a server to stop or to start, or a failover to end.
pub const SERVER: Duration = Duration::from_secs(40);
/// As `belief` says it of three nodes that nothing has happened to.
pub const ALL_UP: &str = "pg01 up primary, pg02 up standby, pg03 up standby";

/// As `belief` says it of three nodes with this primary.
pub fn all_up(primary: &str) -> String {
    let role = |node: &str| if node == primary { "primary" } else { "standby" };
    ["pg01", "pg02", "pg03"].map(|node| format!("{node} up {}", role(node))).join(", ")
}

/// pgpool's own client of its administration protocol.
pub fn pcp(cluster: &Cluster, program: &str, args: &[&str]) -> Result<String, String> {
    let container = cluster.container(POOL);
    let start = ["exec", "-e", "PCPPASSFILE=/run/pgcluster/pcppass", &container, program];
    try_docker(&[&start, ["-h", "/run/pgpool", "-p", "9898", "-U", "pgpool", "-w"].as_slice(), args].concat())
}

/// `pg01 up primary, pg02 down standby, …`; a backend that waits for its first client is up.
pub fn belief(cluster: &Cluster) -> String {
    let shown = pcp(cluster, "pcp_node_info", &["-a"]).unwrap_or_else(|error| error);
    let word = |line: &str| {
        // host, port, status, weight, status, what a ping says, role, …
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [host, _, _, _, status, _, role, ..] => format!("{host} {} {role}", status.replace("waiting", "up")),
            _ => line.to_string(),
        }
    };
    shown.lines().map(word).collect::<Vec<_>>().join(", ")
}

/// Waits until pgpool believes this; how long that took.
#[track_caller]
pub fn wait_for(cluster: &Cluster, what: &str, deadline: Duration, expected: &str) -> Duration {
    let began = Instant::now();
    loop {
        let believed = belief(cluster);
        if believed == expected {
            eprintln!("{what}: {expected} after {:.1} s", began.elapsed().as_secs_f64());
            return began.elapsed();
        }
        assert!(
            began.elapsed() < deadline,
            "{what}: pgpool believes {believed:?} after {deadline:?}, not {expected:?}{}",
            checks(cluster)
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A write that commits through pgpool, as a service makes it.
pub fn writes(cluster: &Cluster) -> bool {
    cluster.try_pool_sql("orders_owner", OWNER_PASSWORD, "phoenix", "CREATE TEMP TABLE probe ()").is_ok()
}

#[track_caller]
pub fn wait_writable(cluster: &Cluster, what: &str, deadline: Duration) {
    let began = Instant::now();
    while !writes(cluster) {
        assert!(began.elapsed() < deadline, "{what}: no write through pgpool in {deadline:?}{}", checks(cluster));
        std::thread::sleep(Duration::from_millis(100));
    }
    eprintln!("{what}: writable after {:.1} s", began.elapsed().as_secs_f64());
}

/// Everything that the last health checks of pgpool's container said.
pub fn checks(cluster: &Cluster) -> String {
    let format = "{{range .State.Health.Log}}\n{{.End}} {{.ExitCode}} {{.Output}}{{end}}";
    docker(&["inspect", "-f", format, &cluster.container(POOL)])
}
