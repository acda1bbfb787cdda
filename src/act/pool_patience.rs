//! Lets pgpool start with the standbys that are on their way: whoever is missing then is taken in by the health check, seconds later.

use std::time::{Duration, Instant};

use crate::model::{ClusterView, NodeNumber};
use crate::observe::peer::look;
use crate::plan::pool::{Fitness, fitness, is_arriving};
use crate::spec::PgpoolSpec;

/// A clone of an empty cluster takes a second; clients should not wait for a large one.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(100);

/// Returns the last view that had a primary, when all who are arriving have arrived or the patience is over.
pub async fn wait_for_standbys(spec: &PgpoolSpec, mut view: ClusterView) -> ClusterView {
    let nodes = &spec.cluster.nodes;
    let began = Instant::now();
    // Between its waiting room and its server a node is silent: whoever once was arriving is waited for.
    let mut expected: Vec<NodeNumber> = Vec::new();
    loop {
        let left = PATIENCE.saturating_sub(began.elapsed());
        let new = |number: &NodeNumber| !expected.contains(number) && is_arriving(nodes, &view, *number, left);
        let arriving: Vec<NodeNumber> = nodes.iter().map(|node| node.number).filter(new).collect();
        expected.extend(arriving);
        let missing = |number: &&NodeNumber| matches!(fitness(nodes, &view, **number), Fitness::Unfit(_));
        let missing: Vec<&str> = expected.iter().filter(missing).map(|number| nodes[number.index()].name.as_str()).collect();
        if missing.is_empty() || left.is_zero() {
            let waited_ms = began.elapsed().as_millis();
            tracing::info!(
                "waited {waited_ms} ms for standbys, without these: {}",
                if missing.is_empty() { "none".into() } else { missing.join(", ") }
            );
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
