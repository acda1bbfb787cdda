//! Heals the pgpool of this container: what it believes of its backends is made true.
//!
//! Nothing here touches pool_passwd: what it is made of, the environment of this container, cannot change while it runs, and
//! passwords of roles that others made are nobody's to know.

use crate::act::nudge;
use crate::link::Address;
use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look;
use crate::observe::pool;
use crate::pcp::Pcp;
use crate::plan::pool::{Judgement, Verdict, heal};
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::spec::PgpoolSpec;

/// Looks at all nodes and at pgpool's beliefs, and gives the orders that follow: one line each, none if all is well.
pub async fn heal_pool(spec: &PgpoolSpec) -> Vec<String> {
    let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    let mut pcp = match Pcp::connect(spec).await {
        Ok(pcp) => pcp,
        Err(error) => return vec![format!("{error:#}")],
    };
    let lines = heal_over(&mut pcp, spec, &view).await;
    pcp.close().await;
    if !lines.is_empty() {
        nudge::wake_sleepers(nudge::LONG_ENOUGH).await;
    }
    lines
}

async fn heal_over(pcp: &mut Pcp, spec: &PgpoolSpec, view: &ClusterView) -> Vec<String> {
    // Only of living nodes there is something to say, and for a dead one pgpool could take seconds.
    let belief = pool::read(pcp, view.serving().map(|(number, _)| number)).await;
    let mut lines = Vec::new();
    for judgement in heal(&spec.cluster.nodes, &belief, view) {
        let name = &spec.cluster.nodes[judgement.number.index()].name;
        let Some((word, result)) = carry_out(pcp, spec, &judgement).await else { continue };
        lines.push(match result {
            Ok(()) => format!("{word} {name}: {}", judgement.because),
            Err(error) => format!("{word} {name}: {error:#}"),
        });
    }
    lines
}

/// The order in a word, and how it went; none if there is nothing to do.
async fn carry_out(pcp: &mut Pcp, spec: &PgpoolSpec, judgement: &Judgement) -> Option<(&'static str, anyhow::Result<()>)> {
    let number = judgement.number;
    match judgement.verdict {
        Verdict::Leave => None,
        Verdict::Attach => Some(("attach", attach(pcp, spec, number).await)),
        Verdict::MakePrimary => Some(("make primary", pcp.make_primary(number).await)),
    }
}

/// Logs in as pgpool's own health check would: where that fails, pgpool would take the backend out again at once.
async fn attach(pcp: &mut Pcp, spec: &PgpoolSpec, number: NodeNumber) -> anyhow::Result<()> {
    let node = &spec.cluster.nodes[number.index()];
    let password = spec.cluster.repmgr_password.as_ref().map(check_password);
    let address = Address::Tcp { host: node.host.clone(), port: node.port, user: CHECK_ROLE.into(), password };
    address.connect_in_time("postgres").await?;
    pcp.attach(number).await
}
