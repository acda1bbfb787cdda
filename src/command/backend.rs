//! `pgcluster attach NAME`, `pgcluster detach NAME`: which backends the pgpool of this container uses.

use anyhow::bail;

use crate::act::operation::begin_everywhere;
use crate::act::pcp;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::{ClusterView, NodeNumber, Proposal};
use crate::observe::environment;
use crate::observe::here::Here;
use crate::plan::proposal::backend::{self, Order};
use crate::spec::{ClusterSpec, PgpoolSpec};

pub fn attach(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let (here, number) = backend("attach", name)?;
    change(&here, number, "attach", backend::attach, consent, pcp::attach)
}

pub fn detach(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let (here, number) = backend("detach", name)?;
    change(&here, number, "detach", backend::detach, consent, pcp::detach)
}

type Plan = fn(&ClusterView, &ClusterSpec, Order<'_>) -> Proposal;

/// Looks, shows the plan, and tells pgpool.
fn change(
    here: &Here,
    number: NodeNumber,
    command: &str,
    plan: Plan,
    consent: operator::Consent,
    tell: impl AsyncFn(&PgpoolSpec, NodeNumber) -> anyhow::Result<()>,
) -> anyhow::Result<Exit> {
    let Here::Pgpool(spec) = here else { bail!("this container has no pgpool") };
    let cluster = &spec.cluster;
    block_on(async {
        let look = here.look().await;
        let belief = look.pools.first().and_then(|pool| pool.view.as_ref()?.backend(number));
        let order = Order { pool: &spec.name, number, backend: belief };
        if let Some(exit) = operator::show(&plan(&look.view, cluster, order), consent) {
            return Ok(exit);
        }
        let _operators = begin_everywhere(cluster, look.sessions, command).await?;
        tell(spec, number).await?;
        println!("{command}ed {}", operator::name(cluster, number));
        Ok(Exit::Ok)
    })
}

/// pgpool's administration listens inside its container only.
fn backend(command: &str, name: &str) -> anyhow::Result<(Here, NodeNumber)> {
    let here = Here::read()?;
    let Here::Pgpool(spec) = &here else {
        bail!("this container has no pgpool: docker exec PGPOOL pgcluster {command} {name}");
    };
    environment::start_logging(spec.cluster.log);
    let number = operator::node(&spec.cluster, name)?;
    Ok((here, number))
}
