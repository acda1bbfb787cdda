//! Who is primary, who streams from it and what pgpool believes: asked from this host, with a deadline on every wait.

use std::time::{Duration, Instant};

use anyhow::bail;
use futures_util::future::join_all;
use pgcluster::command::block_on;

use crate::cluster::{Cluster, control, node_name};
use crate::docker::{docker, docker_output, try_docker};
use crate::writer::Route;

const POLL: Duration = Duration::from_millis(20);
/// For whatever a cluster does by itself, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);
const STATEMENT: &str = "SELECT NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only') = 'off', \
    coalesce(string_agg(application_name, ','), '') FROM pg_stat_replication WHERE state = 'streaming'";

/// A node that takes writes.
#[derive(Debug)]
pub struct Primary {
    pub node: usize,
    streaming: String,
}

impl Primary {
    pub fn has_streaming(&self, node: usize) -> bool {
        self.streaming.split(',').any(|name| name == node_name(node))
    }
}

/// Asks until there is an answer; how long that took. An error says what was waited for.
pub fn wait<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> anyhow::Result<(T, Duration)> {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok((answer, began.elapsed()));
        }
        if began.elapsed() > PATIENCE {
            bail!("waited {PATIENCE:?} for: {what}");
        }
        std::thread::sleep(POLL);
    }
}

impl Cluster {
    /// Every node that says it takes writes: one, or for moments none or two.
    pub fn primaries(&self) -> Vec<Primary> {
        let hosts: Vec<(usize, String)> =
            (1..=self.nodes).filter_map(|node| Some((node, self.address(&self.container(node))?))).collect();
        block_on(async {
            let ask = hosts.iter().map(|(node, host)| async move {
                let client = control(host).connect_in_time("repmgr").await.ok()?;
                let row = tokio::time::timeout(Duration::from_secs(1), client.query_one(STATEMENT, &[])).await.ok()?.ok()?;
                row.get::<_, bool>(0).then(|| Primary { node: *node, streaming: row.get(1) })
            });
            join_all(ask).await.into_iter().flatten().collect()
        })
    }

    /// Of a container that has one now.
    pub fn address(&self, container: &str) -> Option<String> {
        let template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        try_docker(&["inspect", "--format", template, container]).ok().filter(|address| !address.is_empty())
    }

    /// A primary that is not `old`.
    pub fn wait_for_other(&self, old: usize) -> anyhow::Result<(usize, Duration)> {
        let what = format!("a primary other than {}", node_name(old));
        wait(&what, || self.primaries().iter().map(|primary| primary.node).find(|node| *node != old))
    }

    /// `node` streams from whoever is primary; `None`: it is primary itself.
    pub fn wait_for_streaming(&self, node: usize) -> anyhow::Result<(Option<usize>, Duration)> {
        wait(&format!("{} to stream", node_name(node)), || {
            let primaries = self.primaries();
            match primaries.iter().find(|primary| primary.has_streaming(node)) {
                Some(primary) => Some(Some(primary.node)),
                None => (primaries.len() == 1 && primaries[0].node == node).then_some(None),
            }
        })
    }

    /// One primary, all others streaming from it; which one.
    pub fn wait_for_peace(&self) -> anyhow::Result<usize> {
        let all_stream = |primary: &Primary| (1..=self.nodes).all(|node| node == primary.node || primary.has_streaming(node));
        let (node, _) = wait("one primary with all its standbys", || match self.primaries().as_slice() {
            [primary] if all_stream(primary) => Some(primary.node),
            _ => None,
        })?;
        Ok(node)
    }

    pub fn start_pool(&self, pool: &str) {
        docker(&["start", &self.container_of(pool)]);
    }

    /// How a service's owner connects: through pgpool, and as a libpq client that knows all nodes.
    pub fn routes(&self, pool: &str) -> [Route; 2] {
        let hosts = (1..=self.nodes).map(node_name).collect::<Vec<_>>().join(",");
        // TLS as libpq does it unasked. With `sslmode=require` it would not go on from a node that waits, and has no TLS, to the next.
        let login = "user=orders_owner dbname=phoenix sslmode=prefer connect_timeout=2";
        let direct = format!("host={hosts} {login} target_session_attrs=read-write");
        let pooled = format!("host={pool} port=9999 {login}");
        [
            Route { name: "through pgpool", conninfo: pooled, check: direct.clone(), patience_s: 30 },
            Route { name: "of a libpq client", conninfo: direct.clone(), check: direct, patience_s: 3 },
        ]
    }

    /// pgpool has every node up.
    pub fn wait_for_pool(&self, pool: &str) -> anyhow::Result<()> {
        let container = self.container_of(pool);
        let args = ["exec", "-e", "PCPPASSFILE=/run/pgcluster/pcppass", &container, "pcp_node_info"];
        let args = [&args[..], &["-h", "/run/pgpool", "-p", "9898", "-U", "pgpool", "-w", "-a"]].concat();
        wait("pgpool to have every node up", || {
            let output = docker_output(&args);
            let shown = String::from_utf8_lossy(&output.stdout).into_owned();
            // Host, port, status, weight, status in words, and then what the server itself is.
            let up = shown.lines().filter(|line| matches!(line.split_whitespace().nth(4), Some("up" | "waiting")));
            (up.count() == self.nodes).then_some(())
        })?;
        Ok(())
    }
}
