//! `pgcluster events`: repmgr's events and the reigns, as one timeline.

use anyhow::Context;
use serde_json::json;

use crate::command::block_on;
use crate::command::status::paint;
use crate::exit::Exit;
use crate::model::Role;
use crate::observe::events;
use crate::observe::here::Here;
use crate::render::text;

pub fn run(json: bool, limit: usize) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let mut events = block_on(async {
        let (view, sessions) = here.ask_states().await;
        // Whoever has the newest data knows most.
        let newest = view.serving().max_by_key(|(_, state)| (state.role == Role::Primary, state.epoch(), state.lsn));
        let number = newest.map(|(number, _)| number).context("no server answers, so nobody can tell what happened")?;
        let session = sessions.iter().find(|(n, _)| *n == number).map(|(_, client)| client);
        events::read(session.context("the session is open")?, here.cluster()).await
    })?;
    events.drain(..events.len().saturating_sub(limit));
    match json {
        true => println!("{}", json!({ "events": events })),
        false => print!("{}", text::events::events(&events, paint())),
    }
    Ok(Exit::Ok)
}
