//! Our PCP client against a real pgpool, by its socket, from this host.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pgcluster::model::{BackendStatus, NodeNumber, Role};
use pgcluster::pcp::Pcp;
use pgcluster::spec::Secret;

use crate::docker::container::{Run, START};
use crate::docker::{Scope, wait_until};

const PASSWORD: &str = "pcp: ä, $ and 'quotes'";
const PG01: NodeNumber = NodeNumber(0);

/// A node and its pgpool, whose socket is in a directory of this host.
fn pgpool(scope: &Scope, dir: &Path) -> PathBuf {
    scope.network();
    let common = |name: &str, kind: &str| {
        let run = Run::new(scope, name, kind).option("--hostname", name).option("--network", &scope.name);
        let run = run.option("--network-alias", name).env("PG_BACKEND_NODE_LIST", "0:pg01").env("REPMGRPWD", "r");
        // No health check that heals what this test breaks.
        run.env("POSTGRES_PASSWORD", "p").flag("--no-healthcheck").flag("--init")
    };
    common("pg01", "postgres").env("NODE_NAME", "pg01").start();
    let run = common("pgpool01", "pgpool").env("PGP_NODE_NAME", "pgpool01").env("PCPPWD", PASSWORD);
    let pool = run.volume(format!("{}:/run/pgpool", dir.display())).start();
    let socket = dir.join(".s.PGSQL.9898");
    wait_until("pgpool to open its administration socket", START, || {
        assert!(pool.is_running(), "{}", pool.logs());
        socket.exists().then_some(())
    });
    socket
}

async fn log_in(socket: &Path, password: &str) -> anyhow::Result<Pcp> {
    Pcp::connect_at(socket, "pgpool", &Secret::new(password)).await
}

async fn wait_for_status(pcp: &mut Pcp, expected: BackendStatus) {
    for _ in 0..200 {
        if pcp.node_info(PG01).await.unwrap().status == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("pg01 did not become {expected:?} in 10 s");
}

#[tokio::test]
async fn our_client_is_understood() {
    let scope = Scope::new("pool-client");
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o1777)).unwrap();
    let socket = pgpool(&scope, dir.path());

    let refused = log_in(&socket, "wrong").await.err().map(|error| format!("{error:#}")).unwrap_or_default();
    assert!(refused.contains("authentication failed"), "{refused}");

    let mut pcp = log_in(&socket, PASSWORD).await.unwrap();
    assert_eq!(pcp.node_count().await.unwrap(), 1);
    let pg01 = pcp.node_info(PG01).await.unwrap();
    assert_eq!((pg01.role, pg01.quarantined, pg01.weight), (Role::Primary, false, 1.0));
    assert!(matches!(pg01.status, BackendStatus::Up | BackendStatus::Waiting), "{pg01:?}");

    pcp.detach(PG01).await.unwrap();
    wait_for_status(&mut pcp, BackendStatus::Down).await;
    pcp.attach(PG01).await.unwrap();
    wait_for_status(&mut pcp, BackendStatus::Waiting).await;
    pcp.close().await;

    // An error, and the session goes on where pgpool lets it.
    let mut pcp = log_in(&socket, PASSWORD).await.unwrap();
    let unknown = format!("{:#}", pcp.node_info(NodeNumber(7)).await.unwrap_err());
    assert!(unknown.contains("ask pgpool about backend 7") && unknown.contains("node ID"), "{unknown}");
    assert_eq!(pcp.node_count().await.unwrap(), 1);
}
