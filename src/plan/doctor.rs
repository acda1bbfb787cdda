//! Every known misconfiguration: one pure check a row, facts → what was seen. Problems of `status` are findings too.

mod access;
pub mod codes;
mod container;
mod network;
mod pool;
mod settings;
mod storage;

use serde::Serialize;

use super::diagnose::codes::Code;
use crate::model::{Checkup, NodeCheckup, Problem, ServerFacts, Weight};

/// What a check needs to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Anywhere.
    Cluster,
    /// Only in a database container.
    Database,
    /// Only in a pgpool container.
    Pool,
}

/// One row of the table. `look` returns a line for each thing that it found; none = well.
#[derive(Clone, Copy)]
pub struct Check {
    pub code: Code,
    pub scope: Scope,
    pub look: fn(&Checkup) -> Vec<String>,
}

impl Check {
    const fn new(code: Code, scope: Scope, look: fn(&Checkup) -> Vec<String>) -> Check {
        Check { code, scope, look }
    }

    fn applies(&self, checkup: &Checkup) -> bool {
        match self.scope {
            Scope::Cluster => true,
            Scope::Database => checkup.here.database.is_some(),
            Scope::Pool => checkup.pool.is_some(),
        }
    }
}

/// All checks, by theme.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    [network::CHECKS, access::CHECKS, settings::CHECKS, storage::CHECKS, container::CHECKS, pool::CHECKS].into_iter().flatten()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Needs another kind of container: pgpool's files are only in pgpool's.
    Skipped,
    Ok,
    /// Worth knowing; does not change the exit code.
    Note,
    Warn,
    Error,
}

impl From<Weight> for Severity {
    fn from(weight: Weight) -> Severity {
        match weight {
            Weight::Notice => Severity::Note,
            Weight::Degraded => Severity::Warn,
            Weight::Broken => Severity::Error,
        }
    }
}

/// One answer. The serialized form is that of `doctor --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    pub code: &'static str,
    pub severity: Severity,
    /// With names; empty where nothing was found.
    pub seen: String,
    pub why: &'static str,
    pub fix: String,
}

/// Heaviest first, then in the order of the tables.
pub fn examine(checkup: &Checkup, problems: &[Problem]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for check in checks() {
        let finding = |severity: Severity, seen: String| Finding {
            code: check.code.word,
            severity,
            seen,
            why: check.code.meaning,
            fix: check.code.fix.to_owned(),
        };
        if !check.applies(checkup) {
            findings.push(finding(Severity::Skipped, String::new()));
            continue;
        }
        let seen = (check.look)(checkup);
        if seen.is_empty() {
            findings.push(finding(Severity::Ok, String::new()));
        }
        findings.extend(seen.into_iter().map(|line| finding(check.code.weight.into(), line)));
    }
    let own: Vec<Finding> = problems.iter().filter(|problem| !is_explained(problem, checkup)).map(of_status).collect();
    findings.extend(own);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}

fn of_status(problem: &Problem) -> Finding {
    let why = super::diagnose::codes::find(problem.code).map_or("", |code| code.meaning);
    Finding { code: problem.code, severity: problem.weight.into(), seen: problem.text.clone(), why, fix: problem.fix.clone() }
}

/// One fault, one finding: who has no address does not answer, and who waits for nobody has no quorum.
fn is_explained(problem: &Problem, checkup: &Checkup) -> bool {
    let has_no_name =
        || problem.node.is_some_and(|number| checkup.nodes.get(number.index()).is_some_and(|node| node.addresses.is_err()));
    match problem.code {
        "node-unreachable" => has_no_name(),
        "commits-wait" => !settings::sync_names(checkup).is_empty(),
        _ => false,
    }
}

/// Lines for each server that answered, in the order of the list.
fn servers(checkup: &Checkup, look: impl Fn(&NodeCheckup, &ServerFacts) -> Vec<String>) -> Vec<String> {
    checkup.nodes.iter().filter_map(|node| Some(look(node, node.server.as_ref()?))).flatten().collect()
}

/// One line at most for each server.
fn server(checkup: &Checkup, look: impl Fn(&NodeCheckup, &ServerFacts) -> Option<String>) -> Vec<String> {
    servers(checkup, |node, server| look(node, server).into_iter().collect())
}

#[cfg(test)]
mod tests;
