//! One look at everything, made into a report: what each node is, what pgpool and repmgr believe of it, and what is wrong.
//!
//! The servers' own answers are the truth; pgpool and repmgr are compared with them, never the other way round.

pub mod codes;
pub mod nodes;
mod problems;

use std::collections::BTreeMap;

use crate::model::{
    ClusterReport, ClusterView, Details, NodeNumber, NodeReport, PoolOpinion, PoolReport, PoolView, Reach, Receiver, RepmgrRow,
    Role, Seen, Summary, Weight,
};
use crate::spec::{ClusterKind, ClusterSpec, Node, Replication};

pub use problems::ends_soon;

/// Everything that was seen in one look.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub cluster: &'a ClusterSpec,
    /// All nodes.
    pub view: &'a ClusterView,
    /// Of the nodes that serve and answered the second question, too.
    pub details: &'a [(NodeNumber, Details)],
    /// The pgpools that could be asked from here: none in a database container.
    pub pools: &'a [PoolOpinion],
    /// An operator's pause of automatic failover, in words.
    pub paused: Option<&'a str>,
}

impl<'a> Facts<'a> {
    fn node(&self, number: NodeNumber) -> &'a Node {
        &self.cluster.nodes[number.index()]
    }

    fn details(&self, number: NodeNumber) -> Option<&'a Details> {
        self.details.iter().find(|(n, _)| *n == number).map(|(_, details)| details)
    }

    fn primary(&self) -> Option<NodeNumber> {
        self.view.primary().map(|(number, _)| number)
    }

    /// The primary's details; without a primary those of whoever has the newest data.
    fn best_details(&self) -> Option<&'a Details> {
        let newest = self.view.serving().max_by_key(|(_, state)| (state.role == Role::Primary, state.epoch(), state.lsn));
        self.details(newest?.0)
    }

    fn repmgr_row(&self, node: &Node) -> Option<&'a RepmgrRow> {
        self.best_details()?.repmgr.iter().find(|row| row.id == node.id())
    }

    /// Standbys whose receipt counts for a commit.
    fn acknowledging(&self) -> usize {
        let names: Vec<&str> = self.cluster.nodes.iter().map(|node| node.name.as_str()).collect();
        let counts = |receiver: &&Receiver| {
            receiver.state == "streaming" && receiver.sync_state != "async" && names.contains(&receiver.name.as_str())
        };
        self.primary()
            .and_then(|number| self.details(number))
            .map_or(0, |details| details.receivers.iter().filter(counts).count())
    }

    fn is_cluster(&self) -> bool {
        self.cluster.kind == ClusterKind::Cluster
    }
}

/// The report. Problems are in the order of their weight, then of the nodes.
pub fn report(facts: &Facts) -> ClusterReport {
    let nodes: Vec<NodeReport> = facts.cluster.nodes.iter().map(|node| nodes::node_report(facts, node)).collect();
    let problems = problems::problems(facts, &nodes);
    let broken = problems.iter().any(|problem| problem.weight == Weight::Broken);
    ClusterReport {
        cluster: Summary {
            epoch: facts.view.primary().map(|(_, state)| state.epoch()),
            primary: facts.primary().map(|number| facts.node(number).name.clone()),
            writable: facts.primary().is_some() && !broken,
            sync: facts.cluster.replication == Replication::Sync,
            quorum: Seen {
                nodes: facts.cluster.nodes.len(),
                seen: facts.view.nodes.iter().filter(|(_, reach)| !reach.is_silent()).count(),
                acknowledging: facts.acknowledging(),
                needed: facts.cluster.quorum().acks,
            },
            last_failover: facts.best_details().and_then(|details| details.last_failover.clone()),
            paused: facts.paused.map(str::to_owned),
        },
        nodes,
        pgpools: facts.pools.iter().map(|pool| pool_report(facts, pool)).collect(),
        problems,
    }
}

fn pool_report(facts: &Facts, pool: &PoolOpinion) -> PoolReport {
    let primary = pool.view.as_ref().and_then(PoolView::primary);
    PoolReport {
        name: pool.name.clone(),
        state: if pool.view.is_some() { "serving" } else { "unreachable" },
        primary: primary.map(|number| facts.node(number).name.clone()),
    }
}

/// What each pgpool believes of one node, in a word.
fn beliefs(facts: &Facts, number: NodeNumber) -> Option<BTreeMap<String, &'static str>> {
    let words: BTreeMap<String, &'static str> = facts
        .pools
        .iter()
        .filter_map(|pool| Some((pool.name.clone(), pool.view.as_ref()?.backend(number)?.status.word())))
        .collect();
    (!words.is_empty()).then_some(words)
}

/// Whether a server answers there and says what it is.
fn serves(reach: Option<&Reach>) -> bool {
    reach.is_some_and(|reach| reach.serving().is_some())
}

#[cfg(test)]
mod tests;
