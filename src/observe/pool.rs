//! Asks the pgpool of this container what it believes of its backends, over PCP.

use crate::model::{NodeNumber, PoolView};
use crate::pcp::Pcp;

/// Asks about each node in turn. Put nodes that answer us first: pgpool pings a backend before it speaks of it, and the first
/// late answer ends the round. What is missing in the result is unknown.
pub async fn read(pcp: &mut Pcp, numbers: impl Iterator<Item = NodeNumber>) -> PoolView {
    let mut view = PoolView::default();
    for number in numbers {
        match pcp.node_info(number).await {
            Ok(backend) => view.backends.push((number, backend)),
            Err(error) => {
                tracing::debug!("{error:#}");
                break;
            }
        }
    }
    view
}
