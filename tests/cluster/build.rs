//! A cluster as a test wishes it: nodes, pgpool, environment, docker options. Containers as in compose.yaml.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::collections::BTreeMap;

use crate::docker::files::Files;
use crate::docker::{Scope, docker, docker_output, image, logs, try_docker};
use crate::turn::Turn;

pub const REPMGR_PASSWORD: &str = "repmgr-Secret-1";
pub const POSTGRES_PASSWORD: &str = "postgres-Secret-2";
pub const PCP_PASSWORD: &str = "pcp-Secret-3";
pub const OWNER_PASSWORD: &str = "orders-owner-Secret-4";
pub const USER_PASSWORD: &str = "orders-user-Secret-5";
pub const POOL: &str = "pgpool01";
pub const SECOND_POOL: &str = "pgpool02";

/// The wish. `up` makes it true.
pub struct Builder {
    test: String,
    nodes: usize,
    pool: bool,
    init: bool,
    user: Option<String>,
    mount: String,
    restart: String,
    env: BTreeMap<String, String>,
    /// Mounted at /run/secrets, in place of the variables that they name.
    secrets: Option<Files>,
}

/// A network, volumes and containers. Everything goes when this is dropped; when the test failed, the logs are shown first.
pub struct Cluster {
    pub nodes: Vec<String>,
    wish: Builder,
    node_env: BTreeMap<String, BTreeMap<String, String>>,
    // Last fields, last dropped: the turn is over when everything is removed.
    scope: Scope,
    _turn: Turn,
}

impl Cluster {
    /// `nodes` data nodes pg01, pg02 …, synchronous, with one service `orders`.
    pub fn nodes(test: &str, nodes: usize) -> Builder {
        let list: Vec<String> =
            (0..nodes).map(|n| format!("{n}:pg{:02}:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER", n + 1)).collect();
        let env = [
            ("PG_BACKEND_NODE_LIST", list.join(",").as_str()),
            ("PGMASTER_NODE_NAME", "pg01"),
            ("REPLICATION_MODE", if nodes > 2 { "sync" } else { "async" }),
            // Nothing is promoted behind a test's back.
            ("FAILOVER_MODE", "manual"),
            ("REPMGRPWD", REPMGR_PASSWORD),
            ("POSTGRES_PASSWORD", POSTGRES_PASSWORD),
            ("PCPPWD", PCP_PASSWORD),
            ("MSLIST", "orders"),
            ("MSOWNERPWDLIST", OWNER_PASSWORD),
            ("MSUSERPWDLIST", USER_PASSWORD),
        ]
        .map(|(name, value)| (name.to_string(), value.to_string()));
        Builder {
            test: test.into(),
            nodes,
            pool: false,
            init: true,
            user: None,
            mount: "/u01/pg17".into(),
            restart: "no".into(),
            env: env.into(),
            secrets: None,
        }
    }
}

impl Builder {
    pub fn env(mut self, name: &str, value: &str) -> Builder {
        self.env.insert(name.into(), value.into());
        self
    }

    /// Passwords come as Docker secrets, not as variables, from here on.
    pub fn secret_files(mut self) -> Builder {
        let files = Files::new();
        for name in ["REPMGRPWD", "POSTGRES_PASSWORD", "PCPPWD", "MSOWNERPWDLIST", "MSUSERPWDLIST"] {
            let value = self.env.remove(name).expect("a password of this name");
            files.write(name, value);
            self.env.insert(format!("{name}_FILE"), format!("/run/secrets/{name}"));
        }
        self.secrets = Some(files);
        self
    }

    pub fn pgpool(mut self) -> Builder {
        self.pool = true;
        self
    }

    /// Our process is PID 1 itself, without docker's init.
    pub fn without_init(mut self) -> Builder {
        self.init = false;
        self
    }

    /// Where the volume is mounted: /u01/pg17, or PGDATA itself.
    pub fn mount(mut self, path: &str) -> Builder {
        self.mount = path.into();
        self
    }

    pub fn restart(mut self, policy: &str) -> Builder {
        self.restart = policy.into();
        self
    }

    /// `docker run --user`; root keeps the capabilities that it needs to give the volume away and become postgres.
    pub fn user(mut self, user: &str) -> Builder {
        self.user = Some(user.into());
        self
    }

    /// Network and volumes; no container yet.
    pub fn create(self) -> Cluster {
        let turn = Turn::wait();
        let scope = Scope::new(&self.test);
        let nodes: Vec<String> = (1..=self.nodes).map(|n| format!("pg{n:02}")).collect();
        docker(&["network", "create", "--label", &scope.label(), &scope.name]);
        let cluster = Cluster { nodes, wish: self, node_env: BTreeMap::new(), scope, _turn: turn };
        for node in &cluster.nodes {
            cluster.create_volume(node);
        }
        if cluster.wish.mount != "/u01/pg17" {
            // Docker gives a new volume the owner of the image's directory; here the image has none.
            cluster.nodes.iter().for_each(|node| drop(cluster.in_volume(node, "chown 50010:50010 data")));
        }
        cluster
    }

    /// All containers started at once.
    pub fn up(self) -> Cluster {
        let cluster = self.create();
        for name in cluster.names() {
            cluster.start(&name);
        }
        cluster
    }
}

impl Cluster {
    /// All nodes, and pgpool if there is one.
    pub fn names(&self) -> Vec<String> {
        let pool = self.wish.pool.then(|| POOL.to_string());
        self.nodes.iter().cloned().chain(pool).collect()
    }

    pub fn has_pool(&self) -> bool {
        self.wish.pool
    }

    /// Another environment for every container that is made from now on (`remove_container`, `start`).
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.wish.env.insert(name.into(), value.into());
    }

    /// Another secret for every container that starts from now on.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.wish.secrets.as_ref().expect("a cluster with secret_files").write(name, value);
    }

    /// The same for one container.
    pub fn set_node_env(&mut self, node: &str, name: &str, value: &str) {
        self.node_env.entry(node.into()).or_default().insert(name.into(), value.into());
    }

    pub fn clear_node_env(&mut self, node: &str) {
        self.node_env.remove(node);
    }

    pub fn env(&self, name: &str) -> &str {
        &self.wish.env[name]
    }

    pub fn container(&self, name: &str) -> String {
        format!("{}-{name}", self.scope.name)
    }

    pub fn volume(&self, node: &str) -> String {
        format!("{}-{node}", self.scope.name)
    }

    pub fn network(&self) -> &str {
        &self.scope.name
    }

    pub fn create_volume(&self, node: &str) {
        docker(&["volume", "create", "--label", &self.scope.label(), &self.volume(node)]);
    }

    /// Starts the container, and makes it before if it is not there.
    #[track_caller]
    pub fn start(&self, name: &str) {
        let container = self.container(name);
        if try_docker(&["start", &container]).is_ok() {
            return;
        }
        self.run_as(name, &container, &[]);
    }

    /// A new container with `node`'s configuration and volume, under any name; no network alias unless it is the node's own.
    #[track_caller]
    pub fn run_as(&self, node: &str, container: &str, more: &[&str]) {
        let label = self.scope.label();
        let mut line = vec!["run", "-d", "--name", container, "--label", &label];
        line.extend(["--network", &self.scope.name, "--hostname", node, "--read-only", "--stop-timeout", "55"]);
        line.extend(["--restart", &self.wish.restart, "--shm-size", "128m", "--security-opt", "no-new-privileges"]);
        if container == self.container(node) {
            line.extend(["--network-alias", node]);
        }
        if self.wish.init {
            line.push("--init");
        }
        match self.wish.user.as_deref() {
            Some(user) => line.extend(["--user", user]),
            None => line.extend(["--cap-drop", "ALL"]),
        }
        let (kind, name_variable, dirs) = match node.starts_with("pgpool") {
            true => ("pgpool", "PGP_NODE_NAME", &["/run/pgpool", "/etc/pgpool-II"]),
            false => ("postgres", "NODE_NAME", &["/run/postgresql", "/etc/repmgr/17"]),
        };
        let mut options: Vec<String> = [["/run/pgcluster"].as_slice(), dirs, &["/etc/pgcluster"]]
            .concat()
            .iter()
            .filter(|dir| !more.iter().any(|option| option.ends_with(&format!(":{dir}"))))
            .map(|dir| {
                format!("--tmpfs={dir}:uid=50010,gid=50010,mode={}", if dir.starts_with("/etc") { "0755" } else { "0700" })
            })
            .collect();
        options.push("--tmpfs=/tmp:mode=1777".into());
        if kind == "pgpool" {
            options.push("--tmpfs=/run/postgresql:uid=50010,gid=50010,mode=0775".into());
        } else {
            options.push(format!("--volume={}:{}", self.volume(node), self.wish.mount));
        }
        options.push(format!("--env={name_variable}={node}"));
        let mut env = self.wish.env.clone();
        env.extend(self.node_env.get(node).cloned().unwrap_or_default());
        options.extend(env.iter().map(|(name, value)| format!("--env={name}={value}")));
        options.extend(self.wish.secrets.iter().map(|files| format!("--volume={}", files.at("/run/secrets"))));
        let image = image(kind);
        line.extend(options.iter().map(String::as_str));
        line.extend(more);
        line.push(&image);
        docker(&line);
    }

    /// Runs a shell script as root in /u01/pg17, with the node's volume where its container has it, whoever else uses it.
    #[track_caller]
    pub fn in_volume(&self, node: &str, script: &str) -> String {
        let volume = format!("{}:{}", self.volume(node), self.wish.mount);
        let image = image("postgres");
        let script = format!("set -eu; cd /u01/pg17; {script}");
        let label = self.scope.label();
        let run = ["run", "--rm", "--label", &label, "--network", "none", "--user", "0", "-v", &volume, "--entrypoint", "sh"];
        docker(&[run.as_slice(), &[&image, "-c", &script]].concat())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        for name in self.names() {
            let container = self.container(&name);
            let output = docker_output(&["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", &container]);
            let log = logs(&container);
            let repeated = [
                "waiting for WAL",
                "could not connect to the primary",
                "WAL streaming at",
                "End of WAL reached",
                "SSL_read",
                // What a standby tells a client that tries to write to every node.
                "read-only transaction",
                "STATEMENT:  INSERT INTO written",
                // Of pgpool's children, all at once.
                "semaphore",
                "DETAIL:  Invalid argument",
                "DETAIL:  Identifier removed",
                "restarting myself",
                "failover or failback event detected",
            ];
            let lines: Vec<&str> = log.lines().filter(|line| !repeated.iter().any(|words| line.contains(words))).collect();
            let tail = lines[lines.len().saturating_sub(60)..].join("\n");
            eprintln!("── {name}: {} ──\n{tail}", String::from_utf8_lossy(&output.stdout).trim());
            let checks = docker_output(&["inspect", "-f", "{{range .State.Health.Log}}{{.End}} {{.Output}}{{end}}", &container]);
            eprintln!("── its checks ──\n{}", String::from_utf8_lossy(&checks.stdout).trim());
        }
    }
}
