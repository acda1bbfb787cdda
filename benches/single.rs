//! The two single nodes that are compared: pgcluster's, and `initdb` and `postgres` as they come.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::inside::empty;
use crate::server::Server;

/// The volume; ours and the peer's data are both on it.
const VOLUME: &str = "/u01/pg17";
const PEER_DATA: &str = "/u01/pg17/peer";

/// Environment of a single node with these services, as `docker run` options.
pub fn options(services: usize) -> Vec<String> {
    let (names, passwords) = service_lists(services);
    let env = [
        "REPMGRPWD=rep123".to_string(),
        "POSTGRES_PASSWORD=pg123".into(),
        format!("MSLIST={names}"),
        format!("MSOWNERPWDLIST={passwords}"),
        format!("MSUSERPWDLIST={passwords}"),
    ];
    env.into_iter().flat_map(|entry| ["--env".to_string(), entry]).collect()
}

/// `MSLIST` and one password for each.
pub fn service_lists(services: usize) -> (String, String) {
    let list = |prefix: &str| (0..services).map(|number| format!("{prefix}{number}")).collect::<Vec<_>>().join(",");
    (list("service"), list("secret"))
}

/// Nothing is there, as before a container's first start, and nothing is waiting to be written.
pub fn forget_everything() -> anyhow::Result<()> {
    for directory in [VOLUME, "/run/pgcluster", "/etc/pgcluster", "/etc/repmgr/17"] {
        empty(Path::new(directory))?;
    }
    nix::unistd::sync();
    Ok(())
}

pub fn start_ours() -> anyhow::Result<(Server, Duration)> {
    Server::start(&["pgcluster", "postgres"], Instant::now())
}

pub fn start_peer() -> anyhow::Result<(Server, Duration)> {
    Server::start(&["postgres", "-D", PEER_DATA], Instant::now())
}

/// `initdb` as it comes, then the server.
pub fn first_start_peer() -> anyhow::Result<(Server, Duration)> {
    let began = Instant::now();
    let status = Command::new("initdb")
        .args(["--auth=trust", "--username=postgres", "-D", PEER_DATA])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .context("run initdb")?;
    if !status.success() {
        bail!("initdb ended with {status}");
    }
    Server::start(&["postgres", "-D", PEER_DATA], began)
}
