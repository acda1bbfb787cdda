//! `pgcluster bootstrap --because TEXT`: tells the waiting entrypoint of this container to begin a new cluster.

use anyhow::bail;

use crate::act::bootstrap_order;
use crate::act::operation::begin_everywhere;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::ClusterView;
use crate::observe::environment::{self, Image};
use crate::observe::peer::{ask_local, look_and_stay};
use crate::plan::proposal;

pub fn run(because: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    if environment::image() == Image::Pgpool {
        bail!("there is no database in this container: docker exec a database container that waits without data");
    }
    let spec = environment::postgres_spec(&environment::kept_or_own()?)?;
    let (cluster, me) = (&spec.cluster, spec.me);
    environment::start_logging(cluster.log);
    block_on(async {
        let (own, (view, mut sessions)) = tokio::join!(ask_local(spec.node().port), look_and_stay(cluster));
        let nodes = view.nodes.into_iter().filter(|(number, _)| *number != me).collect();
        let others = ClusterView { nodes, hosts: view.hosts };
        if let Some(exit) = operator::show(&proposal::bootstrap::bootstrap(&own, &others, cluster, me, because), consent) {
            return Ok(exit);
        }
        sessions.retain(|(number, _)| *number != me);
        let _operators = begin_everywhere(cluster, sessions, "bootstrap").await?;
        bootstrap_order::give(because)?;
        println!("ordered: the entrypoint that waits here begins a new cluster ({because})");
        Ok(Exit::Ok)
    })
}
