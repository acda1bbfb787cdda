//! `pgcluster switchover [--to NAME] [--dry-run] [--yes]`: another primary, on purpose.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::act::switchover;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::{NodeNumber, NodeState, Reach};
use crate::observe::environment::{self, Image};
use crate::observe::peer::look;
use crate::plan::proposal;
use crate::spec::ClusterSpec;

/// How long the old primary is waited for; it comes back without us.
const RETURN_PATIENCE: Duration = Duration::from_secs(30);

pub fn run(to: Option<String>, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let wanted = to.map(|name| operator::node(&cluster, &name)).transpose()?;
    block_on(async {
        let plan = switchover::plan(&cluster, wanted).await?;
        if let Some(exit) = operator::show(&proposal::switchover::switchover(&plan, &cluster), consent) {
            return Ok(exit);
        }
        refuse_where_it_ends(plan.from)?;
        let began = Instant::now();
        let reason = format!("switchover from {}", operator::name(&cluster, plan.from));
        let primary = switchover::switchover(&cluster, &plan, &reason).await?;
        println!("{} is primary after {:.1} s", operator::name(&cluster, primary), began.elapsed().as_secs_f64());
        Ok(report_return(&cluster, plan.from, primary).await)
    })
}

/// In the container whose server is stopped this command would end with it, half-way.
fn refuse_where_it_ends(from: NodeNumber) -> anyhow::Result<()> {
    let is_here = environment::image() == Image::Postgres && environment::postgres_spec(&environment::kept_or_own()?)?.me == from;
    ensure!(
        !is_here,
        "this container's own server is the one that stops: run it in another container, of a standby or of pgpool"
    );
    Ok(())
}

async fn report_return(cluster: &ClusterSpec, old: NodeNumber, primary: NodeNumber) -> Exit {
    let began = Instant::now();
    let follows = |state: &NodeState| state.receiver_silent_ms.is_some();
    let node = std::slice::from_ref(&cluster.nodes[old.index()]);
    while began.elapsed() < RETURN_PATIENCE {
        let view = look(cluster, node.iter()).await;
        if view.reach(old).and_then(Reach::serving).is_some_and(follows) {
            let (old, primary) = (operator::name(cluster, old), operator::name(cluster, primary));
            println!("{old} follows {primary} {:.1} s later", began.elapsed().as_secs_f64());
            return Exit::Ok;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{} does not follow yet: pgcluster status", operator::name(cluster, old));
    Exit::Failed
}
