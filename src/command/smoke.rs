//! `pgcluster smoke`: does it all work, from here? The seeds' smoke tests in one command.

use anyhow::Context;
use serde_json::json;

use crate::act::smoke::{Targets, smoke};
use crate::command::block_on;
use crate::command::status::paint;
use crate::exit::Exit;
use crate::model::{NodeName, NodeNumber, Reach, SmokeStep};
use crate::observe::here::Here;
use crate::render::text;

pub fn run(json: bool) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let steps = block_on(async {
        let (view, sessions) = here.ask_states().await;
        let name = |number: NodeNumber| &here.cluster().nodes[number.index()].name;
        let (primary, _) = view.primary().context("nobody is primary, so there is nothing to write to")?;
        let session =
            |number: NodeNumber| sessions.iter().find(|(n, _)| *n == number).map(|(_, session)| (name(number), session));
        let targets = Targets {
            primary: session(primary).context("the session is open")?,
            standbys: view.serving().filter(|(number, _)| *number != primary).filter_map(|(number, _)| session(number)).collect(),
            pool: match &here {
                Here::Pgpool(spec) => Some(spec.as_ref()),
                Here::Postgres(_) => None,
            },
        };
        let mut steps: Vec<SmokeStep> = view.nodes.iter().map(|(number, reach)| connected(name(*number), reach)).collect();
        steps.extend(smoke(&targets).await);
        anyhow::Ok(steps)
    })?;
    let ok = steps.iter().all(|step| step.ok);
    match json {
        true => println!("{}", json!({ "ok": ok, "steps": steps })),
        false => print!("{}", text::smoke::smoke(&steps, paint())),
    }
    Ok(if ok { Exit::Ok } else { Exit::Failed })
}

fn connected(name: &NodeName, reach: &Reach) -> SmokeStep {
    let ok = reach.serving().is_some();
    SmokeStep { place: name.to_string(), what: "connect", ok, detail: reach.word(), ms: 0 }
}
