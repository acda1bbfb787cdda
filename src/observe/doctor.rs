//! Gathers what `doctor` looks at. Every question has a deadline; what was not answered is missing, never guessed.

mod container;
mod pool;
mod server;

use std::collections::BTreeSet;
use std::time::Duration;

use crate::model::{Checkup, NodeCheckup};
use crate::observe::here::{Here, Look};
use crate::spec::{ClusterKind, Node, RawEnv, Replication};

/// For a name, by the container's own resolver.
const LOOKUP: Duration = Duration::from_secs(1);

pub async fn gather(here: &Here, look: &Look, raw: &RawEnv) -> Checkup {
    let cluster = here.cluster();
    let is_cluster = cluster.kind == ClusterKind::Cluster;
    let questions = cluster.nodes.iter().map(|node| examine(node, look, is_cluster));
    let (nodes, pool) = tokio::join!(futures_util::future::join_all(questions), pool::examine(here));
    Checkup {
        roster: cluster.roster(),
        is_cluster,
        is_sync: cluster.replication == Replication::Sync,
        nodes,
        here: container::read(here, raw),
        pool,
    }
}

async fn examine(node: &Node, look: &Look, is_cluster: bool) -> NodeCheckup {
    let session = look.sessions.iter().find(|(number, _)| *number == node.number).map(|(_, client)| client);
    let question = async {
        match session {
            Some(client) => server::ask(client).await,
            None => None,
        }
    };
    // A single node is asked over its socket, and its name means nothing.
    let names = async { if is_cluster { resolve(&node.host, node.port).await } else { Ok(Vec::new()) } };
    let (addresses, server) = tokio::join!(names, question);
    NodeCheckup { name: node.name.to_string(), host: node.host.clone(), addresses, serves: session.is_some(), server }
}

async fn resolve(host: &str, port: u16) -> Result<Vec<String>, String> {
    match tokio::time::timeout(LOOKUP, tokio::net::lookup_host((host, port))).await {
        // With the port: several nodes may share an address and differ in it.
        Ok(Ok(found)) => Ok(found.map(|address| address.to_string()).collect::<BTreeSet<_>>().into_iter().collect()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer in {} ms", LOOKUP.as_millis())),
    }
}
