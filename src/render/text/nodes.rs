//! The texts of `pgcluster nodes` and `pgcluster lag`.

use super::{Paint, Table, WIDTH, bytes, seconds};
use crate::model::{ClusterReport, NodeReport, StateWord};
use crate::spec::{BackendFlag, ClusterSpec, Node};

/// Who is in the cluster: what the list says beside what each is now.
pub fn nodes(cluster: &ClusterSpec, report: &ClusterReport, paint: Paint) -> String {
    let mut table = Table::new(&["number", "id", "node", "address", "state", "weight", "promotion", "data directory"]);
    for (node, seen) in cluster.nodes.iter().zip(&report.nodes) {
        let promotion = if may_be_promoted(node) { "allowed" } else { "disallowed" };
        table.row(vec![
            node.number.to_string().into(),
            node.id().to_string().into(),
            node.name.as_str().into(),
            format!("{}:{}", node.host, node.port).into(),
            seen.state.word().into(),
            node.weight.to_string().into(),
            promotion.into(),
            node.data_dir.display().to_string().into(),
        ]);
    }
    table.text(WIDTH, paint)
}

pub fn may_be_promoted(node: &Node) -> bool {
    node.flag == BackendFlag::AllowToFailover
}

/// How far each standby is behind, and why.
pub fn lag(report: &ClusterReport, paint: Paint) -> String {
    let mut table = Table::new(&["node", "state", "received", "lag", "time", "sync", "streaming"]).numbers(&[2, 3, 4]);
    for node in &report.nodes {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        let lag = node.lag_bytes.filter(|_| node.state != StateWord::Primary);
        table.row(vec![
            node.name.as_str().into(),
            node.state.word().into(),
            text(node.lsn.map(|lsn| lsn.to_string())).into(),
            text(lag.map(bytes)).into(),
            text(lag.and(node.lag_seconds).map(seconds)).into(),
            text(node.sync_state.clone()).into(),
            streaming(node).into(),
        ]);
    }
    table.text(WIDTH, paint)
}

fn streaming(node: &NodeReport) -> String {
    match (node.streaming, &node.upstream) {
        (None, _) => "-".into(),
        (Some(true), Some(host)) => format!("from {host}"),
        (Some(false), Some(host)) => format!("not, points at {host}"),
        (Some(_), None) => "not, points at nobody".into(),
    }
}
