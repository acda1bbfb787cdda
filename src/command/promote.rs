//! `pgcluster promote --because TEXT`: a promotion that a person, or repmgrd, asks for. The facts still decide.

use std::time::Duration;

use crate::act::operation::begin_everywhere;
use crate::act::promote::{self, Outcome, Wish};
use crate::command::block_on;
use crate::command::operator::{self, Consent};
use crate::exit::Exit;
use crate::observe::peer::{Sessions, look_and_stay};
use crate::plan::promotion::Asker;
use crate::plan::proposal;
use crate::spec::ClusterSpec;

const DEADLINE: Duration = Duration::from_secs(20);

pub fn run(to: Option<String>, because: &str, force: bool, consent: Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let preferred = to.map(|name| operator::node(&cluster, &name)).transpose()?;
    let (asker, reason) = match force {
        true => (Asker::Forced, format!("forced: {because}")),
        false => (Asker::Person, because.to_owned()),
    };
    block_on(async {
        // Held until the end; a program that asks does not wait for a look of its own.
        let _operators: Sessions = match consent {
            Consent::Unattended => Vec::new(),
            Consent::Given | Consent::Missing | Consent::DryRun => {
                let (view, sessions) = look_and_stay(&cluster).await;
                if let Some(exit) =
                    operator::show(&proposal::promote::promote(&view, &cluster, (asker, preferred), &reason), consent)
                {
                    return Ok(exit);
                }
                begin_everywhere(&cluster, sessions, "promote").await?
            }
        };
        let wish = Wish { cluster: &cluster, asker, preferred, reason: &reason, deadline: DEADLINE };
        Ok(report(&cluster, promote::promote(wish).await, &reason))
    })
}

fn report(cluster: &ClusterSpec, outcome: Outcome, reason: &str) -> Exit {
    match outcome {
        Outcome::Promoted { primary } => {
            println!("promoted {}: {reason}", operator::name(cluster, primary));
            Exit::Ok
        }
        Outcome::None { primary, because } => {
            println!("nothing to promote, {} is primary: {because}", operator::name(cluster, primary));
            Exit::Ok
        }
        Outcome::Lives { because } | Outcome::Impossible { because } => {
            println!("no promotion: {because}");
            Exit::Failed
        }
    }
}
