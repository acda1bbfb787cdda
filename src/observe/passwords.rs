//! Which password is taken, held and known while `REPMGRPWD` changes: asked of the servers, and read from this container's files.

use std::fs;
use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use tokio_postgres::Client;

use crate::link::{Address, is_wrong_password};
use crate::model::{Knows, NodeNumber, Role, Taken, Takes};
use crate::observe::peer::control_address;
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::render::scram;
use crate::spec::{ClusterSpec, Node};

/// `previous` while this container's files have the password before `REPMGRPWD`.
pub const IN_USE: &str = "/run/pgcluster/password_in_use";
/// A verifier of the `REPMGRPWD` that this container was told.
pub const KNOWN: &str = "/run/pgcluster/password_known";
/// What `IN_USE` says then.
pub const PREVIOUS: &str = "previous";

const DEADLINE: Duration = Duration::from_millis(1500);

/// What the files of this container were made with.
pub fn held() -> Takes {
    match fs::read_to_string(IN_USE).is_ok_and(|text| text.trim() == PREVIOUS) {
        true => Takes::Previous,
        false => Takes::Wanted,
    }
}

/// The cluster with this one of its passwords in use.
pub fn with(cluster: &ClusterSpec, takes: Takes) -> ClusterSpec {
    match takes {
        Takes::Wanted => cluster.after_rotation(),
        Takes::Previous => cluster.before_rotation(),
    }
}

/// One answer for each node: which password it takes, and what it is. The one in use is tried first, so that a server that has it logs
/// no failure.
pub async fn ask(cluster: &ClusterSpec) -> Vec<Option<(Takes, Role)>> {
    join_all(cluster.nodes.iter().map(|node| async move { tokio::time::timeout(DEADLINE, ask_node(cluster, node)).await.ok()? }))
        .await
}

async fn ask_node(cluster: &ClusterSpec, node: &Node) -> Option<(Takes, Role)> {
    let in_order = match with(cluster, Takes::Previous) == *cluster {
        true => [Takes::Previous, Takes::Wanted],
        false => [Takes::Wanted, Takes::Previous],
    };
    for takes in in_order {
        let password = with(cluster, takes).repmgr_password;
        match Address::of(cluster, node, "repmgr", password).connect("repmgr").await {
            Ok(client) => {
                let standby: bool = client.query_one("SELECT pg_is_in_recovery()", &[]).await.ok()?.get(0);
                return Some((takes, if standby { Role::Standby } else { Role::Primary }));
            }
            Err(error) if is_wrong_password(&error) => {}
            Err(_) => return None,
        }
    }
    None
}

/// What this primary's own verifiers were made from. None: there is nothing to compare, or no role to log in as.
pub async fn taken(local: &Client, cluster: &ClusterSpec) -> anyhow::Result<Option<Taken>> {
    let question = "SELECT rolname::text, coalesce(rolpassword, '') FROM pg_authid WHERE rolname IN ('repmgr', $1)";
    let rows = local.query(question, &[&CHECK_ROLE]).await.context("read pg_authid")?;
    let verifier = |name: &str| rows.iter().find(|row| row.get::<_, &str>(0) == name).map(|row| row.get::<_, &str>(1));
    let (Some(wanted), Some(repmgr)) = (cluster.wanted_password(), verifier("repmgr")) else { return Ok(None) };
    let fits = scram::matches(repmgr, wanted.expose())
        && verifier(CHECK_ROLE).is_none_or(|check| scram::matches(check, check_password(wanted).expose()));
    let previous = with(cluster, Takes::Previous).repmgr_password.filter(|_| cluster.is_rotating());
    Ok(Some(match (fits, previous) {
        (true, _) => Taken::Wanted,
        (false, Some(previous)) if scram::matches(repmgr, previous.expose()) => Taken::Previous,
        (false, Some(_) | None) => Taken::Neither,
    }))
}

/// Whether each other node, and each pgpool that is connected to this primary, was told the wanted password.
pub async fn readiness(local: &Client, cluster: &ClusterSpec, me: NodeNumber) -> anyhow::Result<Vec<(String, Knows)>> {
    let nodes = cluster.nodes.iter().filter(|node| node.number != me);
    let nodes = nodes.map(|node| async move { (node.name.to_string(), node_readiness(cluster, node).await) });
    let mut all = join_all(nodes).await;
    all.extend(pool_readiness(local, cluster).await?);
    Ok(all)
}

async fn node_readiness(cluster: &ClusterSpec, node: &Node) -> Knows {
    let read = async {
        let client = control_address(cluster, node).connect("repmgr").await.ok()?;
        let question = "SELECT coalesce(pg_read_file($1, 0, 1000, true), '')";
        Some(client.query_one(question, &[&KNOWN]).await.ok()?.get::<_, String>(0))
    };
    match tokio::time::timeout(DEADLINE, read).await {
        Ok(Some(known)) if knows(cluster, &known) => Knows::Ready,
        Ok(Some(_)) => Knows::NotYet("was not told the new password yet".into()),
        Ok(None) | Err(_) => Knows::Away,
    }
}

fn knows(cluster: &ClusterSpec, known: &str) -> bool {
    cluster.wanted_password().is_some_and(|wanted| scram::matches(known.trim(), wanted.expose()))
}

/// Where sessions of pgpool's own role come from.
const CONNECTED: &str =
    "SELECT DISTINCT host(client_addr) AS place FROM pg_stat_activity WHERE usename = $1 AND client_addr IS NOT NULL";
/// Beside what was announced from there (`act::rotation_watch`).
const ANNOUNCED: &str = "
WITH seen AS (CONNECTED),
     told AS (SELECT host(address) AS place, known, state FROM pgcluster.rotation
              WHERE state NOT IN ('starting', 'seen') OR at > now() - interval '60 s')
SELECT coalesce(seen.place, told.place), coalesce(known, ''), coalesce(state, ''), seen.place IS NOT NULL
FROM seen FULL JOIN told ON seen.place = told.place";

/// The table is made by the first announcement.
pub async fn has_announcements(client: &Client) -> anyhow::Result<bool> {
    let question = "SELECT to_regclass('pgcluster.rotation') IS NOT NULL";
    Ok(client.query_one(question, &[]).await.context("look for announcements of pgpools")?.get(0))
}

async fn pool_readiness(local: &Client, cluster: &ClusterSpec) -> anyhow::Result<Vec<(String, Knows)>> {
    let question = match has_announcements(local).await? {
        true => ANNOUNCED.replace("CONNECTED", CONNECTED),
        false => format!("SELECT place, '', '', true FROM ({CONNECTED}) AS seen"),
    };
    let rows = local.query(&question, &[&CHECK_ROLE]).await.context("read which pgpools are connected")?;
    let readiness = |row: &tokio_postgres::Row| {
        let (state, is_connected): (&str, bool) = (row.get(2), row.get(3));
        let readiness = match (state, is_connected) {
            ("starting", _) => Knows::NotYet("is starting".into()),
            ("seen", _) => Knows::NotYet("was not told the new password yet".into()),
            (_, false) => Knows::Away,
            ("watching", true) if knows(cluster, row.get(1)) => Knows::Ready,
            (_, true) => Knows::NotYet("was not told the new password yet".into()),
        };
        (format!("the pgpool at {}", row.get::<_, &str>(0)), readiness)
    };
    Ok(rows.iter().map(readiness).collect())
}
