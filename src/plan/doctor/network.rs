//! Names, lists, clocks and versions: what the nodes must agree on.

use super::{Check, Scope, codes, server};
use crate::model::Checkup;
use crate::plan::floors;

pub const CHECKS: &[Check] = &[
    Check::new(codes::NAME_UNRESOLVED, Scope::Cluster, names_unresolved),
    Check::new(codes::NAMES_COLLIDE, Scope::Cluster, names_collide),
    Check::new(codes::NOT_EXAMINED, Scope::Cluster, not_examined),
    Check::new(codes::LIST_DIFFERS, Scope::Cluster, lists),
    Check::new(codes::CLOCK_SKEW, Scope::Cluster, clocks),
    Check::new(codes::VERSION_OLD, Scope::Cluster, old_versions),
    Check::new(codes::VERSIONS_DIFFER, Scope::Cluster, versions),
];

/// Log lines of several nodes cannot be read together beyond this.
const SKEW_MS: i64 = 2000;

fn names_unresolved(checkup: &Checkup) -> Vec<String> {
    let line = |node: &crate::model::NodeCheckup| {
        let reason = node.addresses.as_ref().err()?;
        Some(format!("{}: host {} has no address: {reason}", node.name, node.host))
    };
    checkup.nodes.iter().filter_map(line).collect()
}

fn names_collide(checkup: &Checkup) -> Vec<String> {
    let mut found = Vec::new();
    for (index, node) in checkup.nodes.iter().enumerate() {
        for other in &checkup.nodes[index + 1..] {
            let (Ok(own), Ok(others)) = (&node.addresses, &other.addresses) else { continue };
            if let Some(shared) = own.iter().find(|address| others.contains(address)) {
                found.push(format!("{} and {} both lead to {shared}", node.host, other.host));
            }
        }
    }
    found
}

fn not_examined(checkup: &Checkup) -> Vec<String> {
    let silent = checkup.nodes.iter().filter(|node| node.serves && node.server.is_none());
    silent.map(|node| format!("{} did not answer all questions", node.name)).collect()
}

fn lists(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let told = server.setting("pgcluster.nodes");
        (told != checkup.roster).then(|| format!("{} was told `{told}`, this container `{}`", node.name, checkup.roster))
    })
}

fn clocks(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let seconds = server.skew_ms as f64 / 1000.0;
        (server.skew_ms.abs() > SKEW_MS).then(|| format!("{}: its clock is {seconds:+.1} s from this container's", node.name))
    })
}

fn old_versions(checkup: &Checkup) -> Vec<String> {
    server(checkup, |node, server| {
        let holes = floors::postgres(server.version / 10000, server.version % 10000)?;
        Some(format!("{} runs PostgreSQL {}: {holes}", node.name, dotted(server.version)))
    })
}

fn versions(checkup: &Checkup) -> Vec<String> {
    let seen: Vec<(&str, u32)> =
        checkup.nodes.iter().filter_map(|node| Some((node.name.as_str(), node.server.as_ref()?.version))).collect();
    let differ = seen.iter().any(|(_, version)| *version != seen[0].1);
    let words: Vec<String> = seen.iter().map(|(name, version)| format!("{name} {}", dotted(*version))).collect();
    differ.then(|| words.join(", ")).into_iter().collect()
}

/// 170012 → 17.12
fn dotted(version: u32) -> String {
    format!("{}.{}", version / 10000, version % 10000)
}
