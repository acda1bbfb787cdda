//! What commands share that a person gives: which cluster, which node, and whether to go on.

use anyhow::Context;

use crate::exit::Exit;
use crate::model::{NodeNumber, Outlook, Proposal};
use crate::observe::environment::{self, Image};
use crate::render::text;
use crate::spec::ClusterSpec;

/// The cluster that this container belongs to, of either image; logging begins.
pub fn cluster() -> anyhow::Result<ClusterSpec> {
    let snapshot = environment::kept_or_own()?;
    let cluster = match environment::image() {
        Image::Postgres => environment::postgres_spec(&snapshot)?.cluster,
        Image::Pgpool => environment::pgpool_spec(&snapshot)?.cluster,
    };
    environment::start_logging(cluster.log);
    Ok(cluster)
}

/// The node of that name; the error names those that there are.
pub fn node(cluster: &ClusterSpec, wanted: &str) -> anyhow::Result<NodeNumber> {
    let names = || cluster.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
    let node = cluster.nodes.iter().find(|node| node.name.as_str() == wanted);
    node.map(|node| node.number).with_context(|| format!("no node is called {wanted}; there are {}", names()))
}

pub fn name(cluster: &ClusterSpec, number: NodeNumber) -> &str {
    cluster.nodes[number.index()].name.as_str()
}

/// Whether a plan that was shown shall be carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    Given,
    Missing,
    /// Only the plan was asked for.
    DryRun,
    /// A program asks, and nobody reads a plan.
    Unattended,
}

/// Shows the plan. None = go on; else it ends here, with this exit code.
pub fn show(proposal: &Proposal, consent: Consent) -> Option<Exit> {
    print!("{}", text::proposal::proposal(proposal));
    let (words, exit) = match (proposal.outlook, consent) {
        (Outlook::Nothing, _) => ("Nothing is to be done.", Exit::Ok),
        (Outlook::Refused, _) => ("Nothing was done.", Exit::Failed),
        (Outlook::NeedsConsent | Outlook::Harmless, Consent::DryRun) => ("Nothing was done (--dry-run).", Exit::Ok),
        (Outlook::NeedsConsent, Consent::Missing) => ("Nothing was done: say --yes to go on.", Exit::Unconfirmed),
        (Outlook::NeedsConsent, Consent::Given | Consent::Unattended) | (Outlook::Harmless, _) => return None,
    };
    println!("{words}");
    Some(exit)
}

impl Consent {
    pub fn of(yes: bool, dry_run: bool) -> Consent {
        match (yes, dry_run) {
            (_, true) => Consent::DryRun,
            (true, false) => Consent::Given,
            (false, false) => Consent::Missing,
        }
    }
}
