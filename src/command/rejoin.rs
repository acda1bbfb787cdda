//! `pgcluster rejoin NAME`: restarts a node's server, so that its start decides anew, and says what it does.

use std::time::Duration;

use crate::act::operation::begin_everywhere;
use crate::act::restart;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::Reach;
use crate::observe::peer::look_and_stay;
use crate::plan::proposal;

/// A copy may take longer; it goes on without us.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn run(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let number = operator::node(&cluster, name)?;
    block_on(async {
        let (view, sessions) = look_and_stay(&cluster).await;
        if let Some(exit) = operator::show(&proposal::rejoin::rejoin(&view, &cluster, number), consent) {
            return Ok(exit);
        }
        let sessions = begin_everywhere(&cluster, sessions, "rejoin").await?;
        if view.reach(number).and_then(Reach::serving).is_some() {
            restart::stop(&cluster, &sessions, number).await?;
        }
        let tell = |after: Duration, word: &str| println!("{:>6.1} s  {name}: {word}", after.as_secs_f64());
        if restart::watch(&cluster, number, PATIENCE, tell).await {
            let primary = view.primary().map_or("its primary", |(primary, _)| operator::name(&cluster, primary));
            println!("{name} follows {primary}");
            return Ok(Exit::Ok);
        }
        println!("not there after {} s: it goes on by itself, pgcluster status shows how far it is", PATIENCE.as_secs());
        Ok(Exit::Failed)
    })
}
