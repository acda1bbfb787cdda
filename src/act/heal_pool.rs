//! Heals the pgpool of this container: what it believes of its backends is made true.
//!
//! Nothing here touches pool_passwd: a change of what it is made of is `act::rotation`'s, or `reload`'s, and passwords of roles that
//! others made are nobody's to know.

use std::time::Duration;

use crate::act::agreement::Agreement;
use crate::act::depose::{depose_frozen, drop_silent_standbys};
use crate::act::{fence, nudge, pool_guard, pool_pulse, sever, tripwire};
use crate::link::Address;
use crate::model::{ClusterView, NodeNumber, PoolView};
use crate::observe::peer::look;
use crate::observe::pool::{self, read_status_file};
use crate::pcp::{self, Pcp};
use crate::plan::fence::stale_primaries;
use crate::plan::pool::{Judgement, Verdict, agrees, fitness_of_all, heal};
use crate::render::check_role::{CHECK_ROLE, check_password};
use crate::spec::PgpoolSpec;

/// As long as pgpool may need to find the primary by itself, when a failover is under way.
const SECOND_LOOK: Duration = Duration::from_millis(2000);

/// Looks at all nodes and at pgpool's beliefs, and gives the orders that follow: one line each, none if all is well.
/// An error means that pgpool does not answer by PCP.
pub async fn heal_pool(spec: &PgpoolSpec) -> anyhow::Result<Vec<String>> {
    let mut lines = pool_guard::keep_files(spec.port);
    if let Some(ended) = pool_pulse::end_maimed() {
        anyhow::bail!(ended);
    }
    anyhow::ensure!(pcp::is_there(), "pgpool has not begun");
    if let Err(error) = tripwire::leave_behind(spec) {
        lines.push(format!("no tripwire: {error}"));
    }
    lines.extend(sever::end_deadlocked(Duration::ZERO).await);
    let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
    lines.extend(fence::stop_all(&spec.cluster, &stale_primaries(&view)).await);
    if let Some(deposed) = depose_frozen(spec, &view).await {
        lines.push(deposed);
        return Ok(lines);
    }
    sever_the_lost(spec, &view).await;
    let (dropped, is_dropped) = drop_silent_standbys(spec, &view).await;
    lines.extend(dropped);
    if is_dropped {
        return Ok(lines);
    }
    let agreement = Agreement::on(&fitness_of_all(&view));
    if agreement.is_remembered() {
        nudge::renew_idle().await;
        return Ok(lines);
    }
    let (mut pcp, belief) = ask(spec, &view).await?;
    if agrees(&belief, &view) {
        agreement.remember()?;
    }
    let mut judged = heal(&belief, &view);
    if judged.iter().any(|judgement| judgement.verdict == Verdict::MakePrimary) {
        pcp.close().await;
        tokio::time::sleep(SECOND_LOOK).await;
        let view = look(&spec.cluster, spec.cluster.nodes.iter()).await;
        let second = ask(spec, &view).await?;
        (pcp, judged) = (second.0, heal(&second.1, &view));
    }
    for judgement in &judged {
        let name = &spec.cluster.nodes[judgement.number.index()].name;
        let Some((word, result)) = carry_out(&mut pcp, spec, judgement).await else { continue };
        lines.push(match result {
            Ok(()) => format!("{word} {name}: {}", judgement.because),
            Err(error) => format!("{word} {name}: {error:#}"),
        });
    }
    pcp.close().await;
    if judged.iter().any(|judgement| judgement.verdict != Verdict::Leave) {
        nudge::wake_sleepers(spec.port, nudge::LONG_ENOUGH).await;
    }
    nudge::renew_idle().await;
    Ok(lines)
}

/// Sessions that began while pgpool gave a node up, or before it did by itself, may still wait for that node's answer.
async fn sever_the_lost(spec: &PgpoolSpec, view: &ClusterView) {
    let down = read_status_file().down;
    for number in view.silent().filter(|number| down.contains(number)) {
        sever::sever(spec, number, Duration::ZERO).await;
    }
}

/// What pgpool believes, and the session to tell it better.
async fn ask(spec: &PgpoolSpec, view: &ClusterView) -> anyhow::Result<(Pcp, PoolView)> {
    let mut pcp = Pcp::connect(spec).await?;
    // Only of living nodes there is something to say, and for a dead one pgpool could take seconds.
    let belief = pool::read(&mut pcp, view.serving().map(|(number, _)| number)).await;
    Ok((pcp, belief))
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
    // No other one: pgpool has this one alone.
    let password = spec.cluster.repmgr_password.as_ref().map(check_password);
    Address::of(&spec.cluster, node, CHECK_ROLE, password).connect_in_time("postgres").await?;
    pcp.attach(number).await
}
