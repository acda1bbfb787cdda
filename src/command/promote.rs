//! `pgcluster promote --because TEXT`: a promotion that a person, or repmgrd, asks for. The facts still decide.

use std::time::Duration;

use crate::act::promote::{self, Outcome, Wish};
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::plan::promotion::Asker;

const DEADLINE: Duration = Duration::from_secs(20);

pub fn run(to: Option<String>, because: &str, force: bool, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let preferred = to.map(|name| operator::node(&cluster, &name)).transpose()?;
    let asker = match force {
        true => Asker::Forced,
        false => Asker::Person,
    };
    println!(
        "promote: if nobody is primary and the old one shows no sign of life from here, the standby that holds the most ({because})"
    );
    if force {
        println!(
            "  --force: one standby is enough, also one that another holds more than, that was away for long, or that is \
             DISALLOW_TO_FAILOVER
  commits that it lacks are LOST, acknowledged or not; a primary that is cut off from here may go on \
             until the network is back: make sure that it is dead"
        );
        if !consent.is_given() {
            println!("{}", consent.words());
            return Ok(consent.exit());
        }
    }
    let reason = if force { format!("forced: {because}") } else { because.to_owned() };
    let wish = Wish { cluster: &cluster, asker, preferred, reason: &reason, deadline: DEADLINE };
    let name = |number| operator::name(&cluster, number);
    Ok(match block_on(promote::promote(wish)) {
        Outcome::Promoted { primary } => {
            println!("promoted {}: {reason}", name(primary));
            Exit::Ok
        }
        Outcome::None { primary, because } => {
            println!("nothing to promote, {} is primary: {because}", name(primary));
            Exit::Ok
        }
        Outcome::Lives { because } | Outcome::Impossible { because } => {
            println!("no promotion: {because}");
            Exit::Failed
        }
    })
}
