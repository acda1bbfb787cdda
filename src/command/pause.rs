//! `pgcluster pause` and `resume`: an operator's order that nobody be promoted automatically.

use anyhow::Context;

use crate::act::operation::begin_everywhere;
use crate::act::pause;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::ClusterView;
use crate::observe::peer::{Session, Sessions, look_and_stay};
use crate::plan::proposal;

pub fn pause(owner: Option<String>, because: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let host = || nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let owner = owner.unwrap_or_else(host);
    block_on(async {
        let (view, sessions) = look_and_stay(&cluster).await;
        if let Some(exit) = operator::show(&proposal::pause::pause(&view, &cluster, &owner, because), consent) {
            return Ok(exit);
        }
        let sessions = begin_everywhere(&cluster, sessions, "pause").await?;
        pause::pause(primary(&view, &sessions)?, &owner, because).await?;
        println!("paused");
        Ok(Exit::Ok)
    })
}

pub fn resume(consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    block_on(async {
        let (view, sessions) = look_and_stay(&cluster).await;
        if let Some(exit) = operator::show(&proposal::pause::resume(&view, &cluster), consent) {
            return Ok(exit);
        }
        let sessions = begin_everywhere(&cluster, sessions, "resume").await?;
        let ended = pause::resume(primary(&view, &sessions)?).await?;
        println!("{}", if ended { "resumed" } else { "it was not paused any more" });
        Ok(Exit::Ok)
    })
}

fn primary<'a>(view: &ClusterView, sessions: &'a Sessions) -> anyhow::Result<&'a Session> {
    let primary = view.primary().map(|(number, _)| number);
    let session = sessions.iter().find(|(number, _)| Some(*number) == primary);
    session.map(|(_, client)| client).context("nobody is primary")
}
