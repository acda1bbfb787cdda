//! `PG_BACKEND_NODE_LIST`: a list that is taken means the same when it is written down and read again.
#![no_main]

use std::collections::BTreeSet;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use pgcluster::spec::nodes::parse_nodes;
use pgcluster::spec::{BackendFlag, Node};

fuzz_target!(|text: &str| {
    let dir = Path::new("/u01/pg17/data");
    match parse_nodes(text, dir) {
        Ok(nodes) => {
            assert!((0..).zip(&nodes).all(|(number, node)| node.number.0 == number), "numbered from 0 without a gap");
            let names: BTreeSet<_> = nodes.iter().map(|node| node.name.0.to_ascii_lowercase()).collect();
            assert_eq!(names.len(), nodes.len(), "a name of its own for each");
            assert!(nodes.iter().all(|node| node.port > 0 && node.weight >= 0.0 && node.weight.is_finite()));
            // pgpool puts these into a shell line.
            let quiet = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte));
            assert!(nodes.iter().all(|node| quiet(&node.host) && quiet(&node.data_dir.display().to_string())));
            assert_eq!(parse_nodes(&printed(&nodes), dir), Ok(nodes));
        }
        Err(found) => {
            assert!(!found.is_empty());
            for violation in found.iter() {
                assert!(!violation.rule.is_empty() && !violation.hint.is_empty());
                assert!(!violation.rule.contains(char::is_control), "a terminal gets no control characters: {violation:?}");
            }
        }
    }
});

fn printed(nodes: &[Node]) -> String {
    let item = |node: &Node| {
        let host = if node.host.contains(':') { format!("[{}]", node.host) } else { node.host.clone() };
        let flag = match node.flag {
            BackendFlag::AllowToFailover => "ALLOW_TO_FAILOVER",
            BackendFlag::DisallowToFailover => "DISALLOW_TO_FAILOVER",
        };
        format!("{}:{host}:{}:{}:{}:{flag}", node.number, node.port, node.weight, node.data_dir.display())
    };
    nodes.iter().map(item).collect::<Vec<_>>().join(",")
}
