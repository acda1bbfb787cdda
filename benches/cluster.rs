//! Database containers and pgpool on a network of their own, as compose.yaml makes them.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use pgcluster::command::block_on;
use pgcluster::link::{Address, Trust};
use pgcluster::spec::Secret;

use crate::docker::{Scope, docker, logs, try_docker};
use crate::inside::container_args;
use crate::setup::Setup;

pub const PASSWORD: &str = "rep123";
const POLL: Duration = Duration::from_millis(10);
const DEADLINE: Duration = Duration::from_secs(120);
pub const NODES: usize = 3;
/// Of pgpool, beside those of a database container.
const POOL_TMPFS: [&str; 2] = ["/run/pgpool:uid=50010,gid=50010,mode=0775", "/etc/pgpool-II:uid=50010,gid=50010,mode=0755"];

/// Removes its containers, volumes and network at its end.
pub struct Cluster {
    pub scope: Scope,
    pub nodes: usize,
    tag: String,
    env: Vec<String>,
}

impl Cluster {
    /// A network for three nodes, and nothing on it.
    pub fn new(setup: &Setup, bench: &str) -> Cluster {
        Cluster::sized(setup, bench, NODES)
    }

    pub fn sized(setup: &Setup, bench: &str, nodes: usize) -> Cluster {
        let scope = Scope::new(bench);
        docker(&["network", "create", "--label", &scope.label(), &scope.name]);
        Cluster { scope, nodes, tag: setup.tag.clone(), env: vec![] }
    }

    /// Of every container that is created from now on.
    pub fn env(mut self, name: &str, value: &str) -> Cluster {
        self.env.push(format!("{name}={value}"));
        self
    }

    /// Name of the container of node 1, 2, …
    pub fn container(&self, node: usize) -> String {
        self.container_of(&node_name(node))
    }

    pub fn container_of(&self, name: &str) -> String {
        format!("{}-{name}", self.scope.name)
    }

    /// `docker` options that make a container that node.
    pub fn options(&self, node: usize) -> Vec<String> {
        self.options_of(&node_name(node), "NODE_NAME")
    }

    fn options_of(&self, name: &str, variable: &str) -> Vec<String> {
        let list =
            (1..=self.nodes).map(|node| format!("{}:{}:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER", node - 1, node_name(node)));
        let env = [
            format!("PG_BACKEND_NODE_LIST={}", list.collect::<Vec<_>>().join(",")),
            format!("{variable}={name}"),
            "PGMASTER_NODE_NAME=pg01".into(),
            format!("REPMGRPWD={PASSWORD}"),
            "POSTGRES_PASSWORD=pg123".into(),
            "MSLIST=orders,billing".into(),
            "MSOWNERPWDLIST=o1,b1".into(),
            "MSUSERPWDLIST=o2,b2".into(),
        ];
        let mut options: Vec<String> = vec!["--name".into(), self.container_of(name), "--label".into(), self.scope.label()];
        options.extend(["--network".into(), self.scope.name.clone(), "--network-alias".into(), name.into()]);
        options.extend(env.into_iter().chain(self.env.iter().cloned()).flat_map(|entry| ["--env".to_string(), entry]));
        options
    }

    /// `docker create`; its volume goes with it.
    pub fn create(&self, node: usize) {
        self.create_with(self.options(node), "postgres");
    }

    /// The same of `pgpool01`, `pgpool02`, …
    pub fn create_pool(&self, name: &str) {
        let mut options = self.options_of(name, "PGP_NODE_NAME");
        options.extend(["--env".into(), "PCPPWD=pcp123".into()]);
        options.extend(POOL_TMPFS.iter().flat_map(|mount| ["--tmpfs".to_string(), mount.to_string()]));
        self.create_with(options, "pgpool");
    }

    fn create_with(&self, options: Vec<String>, kind: &str) {
        let mut args = container_args(&["create", "--init", "--restart=unless-stopped", "--stop-timeout=55"]);
        args.extend(options);
        args.push(format!("pgcluster/{kind}:{}", self.tag));
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

pub fn node_name(node: usize) -> String {
    format!("pg{node:02}")
}

/// As the superuser of the control channel.
pub fn control(host: &str) -> Address {
    Address::Tcp {
        host: host.into(),
        port: 5432,
        user: "repmgr".into(),
        password: Some(Secret::new(PASSWORD)),
        other: None,
        trust: Trust::ChannelBinding,
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
    block_on(async {
        let client = control(host).connect_in_time("repmgr").await?;
        let statement = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'pg0%'";
        Ok(client.query_one(statement, &[]).await.context("count the standbys")?.get(0))
    })
}
