//! `pgcluster pause` and `resume`: an operator's order that nobody be promoted automatically.

use crate::act::{operation::Operation, pause};
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::NodeNumber;
use crate::observe::peer::look;
use crate::spec::ClusterSpec;

pub fn pause(owner: Option<String>, because: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let host = || nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let owner = owner.unwrap_or_else(host);
    println!("pause: no node is promoted automatically until `pgcluster resume`, whoever dies ({owner}: {because})");
    if !consent.is_given() {
        println!("{}", consent.words());
        return Ok(consent.exit());
    }
    block_on(async {
        let operation = Operation::begin(&cluster, primary(&cluster).await?, "pause").await?;
        pause::pause(&operation.primary, &owner, because).await
    })?;
    println!("paused");
    Ok(Exit::Ok)
}

pub fn resume(consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    println!("resume: a primary that is lost is replaced automatically again");
    if !consent.is_given() {
        println!("{}", consent.words());
        return Ok(consent.exit());
    }
    let ended = block_on(async {
        let operation = Operation::begin(&cluster, primary(&cluster).await?, "resume").await?;
        pause::resume(&operation.primary).await
    })?;
    println!("{}", if ended { "resumed" } else { "it was not paused" });
    Ok(Exit::Ok)
}

/// The order is a row: it needs a primary that writes it.
async fn primary(cluster: &ClusterSpec) -> anyhow::Result<NodeNumber> {
    let view = look(cluster, cluster.nodes.iter()).await;
    let primary = view.primary().map(|(number, _)| number);
    primary.ok_or_else(|| anyhow::anyhow!("nobody is primary: pgcluster promote --because TEXT makes one"))
}
