//! Lets pgpool start with the standbys that are on their way: whoever is missing then is taken in by the health check, seconds later.

use std::time::{Duration, Instant};

use crate::model::{ClusterView, NodeNumber, Reach};
use crate::observe::peer::look;
use crate::plan::pool::is_arriving;
use crate::spec::PgpoolSpec;

/// A clone of an empty cluster takes a second, or a few where machines are busy; clients should not wait for a large one. Whoever
/// writes waits for a standby anyway.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);

/// Returns the last view that had a primary, when all who are arriving have arrived or the patience is over.
pub async fn wait_for_standbys(spec: &PgpoolSpec, mut view: ClusterView) -> ClusterView {
    let began = Instant::now();
    let mut awaited: Vec<NodeNumber> = Vec::new();
    loop {
        let left = PATIENCE.saturating_sub(began.elapsed());
        awaited = still_arriving(&view, &awaited, left);
        match awaited.as_slice() {
            [] => {
                tracing::info!("waited {} ms for standbys", began.elapsed().as_millis());
                return view;
            }
            [..] if left.is_zero() => {
                let names: Vec<&str> = awaited.iter().map(|number| spec.cluster.nodes[number.index()].name.as_str()).collect();
                tracing::info!("start without {}: the health check attaches whoever comes later", names.join(", "));
                return view;
            }
            [..] => {}
        }
        tokio::time::sleep(PAUSE).await;
        let next = look(&spec.cluster, spec.cluster.nodes.iter()).await;
        if next.primary().is_none() {
            return view;
        }
        view = next;
    }
}

/// Between its waiting room and its server a node is silent: who was arriving then still is.
fn still_arriving(view: &ClusterView, awaited: &[NodeNumber], left: Duration) -> Vec<NodeNumber> {
    let arrives =
        |number: NodeNumber, reach: &Reach| is_arriving(view, number, left) || (reach.is_silent() && awaited.contains(&number));
    view.nodes.iter().filter(|(number, reach)| arrives(*number, reach)).map(|(number, _)| *number).collect()
}
