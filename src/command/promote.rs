//! `pgcluster promote --because TEXT`: a promotion that a person, or repmgrd, asks for. The facts still decide.

use std::time::Duration;

use crate::act::promote::{self, Outcome, Wish};
use crate::command::block_on;
use crate::exit::Exit;
use crate::model::NodeName;
use crate::observe::environment::{self, Image};
use crate::plan::promotion::Asker;

const DEADLINE: Duration = Duration::from_secs(20);

pub fn run(to: Option<String>, because: &str) -> anyhow::Result<Exit> {
    let snapshot = environment::kept_or_own()?;
    let cluster = match environment::image() {
        Image::Postgres => environment::postgres_spec(&snapshot)?.cluster,
        Image::Pgpool => environment::pgpool_spec(&snapshot)?.cluster,
    };
    environment::start_logging(cluster.log);
    let preferred = match to.map(NodeName) {
        None => None,
        Some(name) => {
            let node = cluster.nodes.iter().find(|node| node.name == name);
            Some(node.ok_or_else(|| anyhow::anyhow!("no node is called {name}"))?.number)
        }
    };
    let wish = Wish { cluster: &cluster, asker: Asker::Person { preferred }, reason: because, deadline: DEADLINE };
    let name = |number: crate::model::NodeNumber| &cluster.nodes[number.index()].name;
    Ok(match block_on(promote::promote(wish)) {
        Outcome::Promoted { primary } => {
            println!("promoted {}: {because}", name(primary));
            Exit::Ok
        }
        Outcome::None { primary, because } => {
            println!("nothing to promote, {} is primary: {because}", name(primary));
            Exit::Ok
        }
        Outcome::Lives { because } | Outcome::Impossible { because } => {
            println!("no promotion: {because}");
            Exit::Failed
        }
    })
}
