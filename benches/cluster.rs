//! Three database containers on a network of their own, as compose.yaml makes them.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pgcluster::command::block_on;
use pgcluster::link::Address;
use pgcluster::spec::Secret;

use crate::docker::{Scope, docker, logs, try_docker};
use crate::inside::container_args;
use crate::setup::Setup;

const PASSWORD: &str = "rep123";
const POLL: Duration = Duration::from_millis(10);
const DEADLINE: Duration = Duration::from_secs(120);
pub const NODES: usize = 3;

/// Removes its containers, volumes and network at its end.
pub struct Cluster {
    scope: Scope,
    image: String,
}

impl Cluster {
    /// A network, and nothing on it.
    pub fn new(setup: &Setup, bench: &str) -> Cluster {
        let scope = Scope::new(bench);
        docker(&["network", "create", "--label", &scope.label(), &scope.name]);
        Cluster { scope, image: setup.postgres_image() }
    }

    /// Name of the container of node 1, 2, …
    pub fn container(&self, node: usize) -> String {
        format!("{}-pg{node:02}", self.scope.name)
    }

    /// `docker` options that make a container that node.
    pub fn options(&self, node: usize) -> Vec<String> {
        let name = |number: usize| format!("pg{number:02}");
        let list = (1..=NODES).map(|number| format!("{}:{}:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER", number - 1, name(number)));
        let env = [
            format!("PG_BACKEND_NODE_LIST={}", list.collect::<Vec<_>>().join(",")),
            format!("NODE_NAME={}", name(node)),
            "PGMASTER_NODE_NAME=pg01".into(),
            format!("REPMGRPWD={PASSWORD}"),
            "POSTGRES_PASSWORD=pg123".into(),
            "MSLIST=orders,billing".into(),
            "MSOWNERPWDLIST=o1,b1".into(),
            "MSUSERPWDLIST=o2,b2".into(),
        ];
        let mut options: Vec<String> = vec!["--name".into(), self.container(node), "--label".into(), self.scope.label()];
        options.extend(["--network".into(), self.scope.name.clone(), "--network-alias".into(), name(node)]);
        options.extend(env.into_iter().flat_map(|entry| ["--env".to_string(), entry]));
        options
    }

    /// `docker create`; its volume goes with it.
    pub fn create(&self, node: usize) {
        let mut args = container_args(&["create", "--init", "--restart=unless-stopped"]);
        args.extend(self.options(node));
        args.push(self.image.clone());
        docker(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Starts them all at once.
    pub fn start(&self, nodes: impl Iterator<Item = usize>) {
        let starts: Vec<_> =
            nodes.map(|node| self.container(node)).map(|name| std::thread::spawn(move || docker(&["start", &name]))).collect();
        for start in starts {
            start.join().expect("docker start succeeds");
        }
    }

    /// Until node 1 counts all the others as streaming.
    pub fn wait_until_complete(&self) -> anyhow::Result<()> {
        let template = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let address = try_docker(&["inspect", "--format", template, &self.container(1)]).map_err(anyhow::Error::msg)?;
        wait_until_complete(&address).with_context(|| logs(&self.container(1)))
    }
}

/// Until the primary at `host` counts two streaming standbys.
pub fn wait_until_complete(host: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        match count_streaming(host) {
            Ok(count) if count >= NODES as i64 - 1 => return Ok(()),
            Ok(_) | Err(_) if began.elapsed() < DEADLINE => std::thread::sleep(POLL),
            last => bail!("the standbys do not stream after {DEADLINE:?}: {last:?}"),
        }
    }
}

fn count_streaming(host: &str) -> anyhow::Result<i64> {
    let address = Address::Tcp { host: host.into(), port: 5432, user: "repmgr".into(), password: Some(Secret::new(PASSWORD)) };
    block_on(async {
        let client = address.connect_in_time("repmgr").await?;
        let statement = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'pg0%'";
        Ok(client.query_one(statement, &[]).await.context("count the standbys")?.get(0))
    })
}
