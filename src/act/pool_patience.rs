//! Lets pgpool start with the standbys that are on their way: whoever is missing then is taken in by the health check, seconds later.

use std::time::{Duration, Instant};

use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look;
use crate::plan::pool::{Fitness, fitness, is_arriving};
use crate::spec::PgpoolSpec;

/// A clone of an empty cluster takes a second, or a few where machines are busy; clients should not wait for a large one. Whoever
/// writes waits for a standby anyway.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Returns the last view that had a primary, when all who are arriving have arrived or the patience is over.
pub async fn wait_for_standbys(spec: &PgpoolSpec, mut view: ClusterView) -> ClusterView {
    let nodes = &spec.cluster.nodes;
    let began = Instant::now();
    // Between its waiting room and its server a node is silent: whoever once was arriving is waited for.
    let mut expected: Vec<NodeNumber> = Vec::new();
    loop {
        let left = PATIENCE.saturating_sub(began.elapsed());
        let new = |number: &NodeNumber| !expected.contains(number) && is_arriving(&view, *number, left);
        let arriving: Vec<NodeNumber> = nodes.iter().map(|node| node.number).filter(new).collect();
        expected.extend(arriving);
        let missing = |number: &&NodeNumber| matches!(fitness(&view, **number), Fitness::Unfit(_));
        let missing: Vec<&str> = expected.iter().filter(missing).map(|number| nodes[number.index()].name.as_str()).collect();
        if missing.is_empty() {
            return view;
        }
        if left.is_zero() {
            tracing::info!("start without {}: the health check attaches whoever comes later", missing.join(", "));
            return view;
        }
        tokio::time::sleep(PAUSE).await;
        let next = look(&spec.cluster, nodes.iter()).await;
        if next.primary().is_none() {
            return view;
        }
        view = next;
    }
}
