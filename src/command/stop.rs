//! `pgcluster stop`: ends this container's own server, as others order it through `COPY … TO PROGRAM`. `stop NAME` is that order, from a
//! person who has seen what follows.

use anyhow::bail;

use crate::act::heal::stop_server;
use crate::act::operation::begin_everywhere;
use crate::act::restart;
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::observe::environment::{self, Image};
use crate::observe::peer::look_and_stay;
use crate::plan::proposal;

pub fn run(name: Option<&str>, consent: operator::Consent) -> anyhow::Result<Exit> {
    match name {
        None => own(),
        Some(name) => node(name, consent),
    }
}

fn own() -> anyhow::Result<Exit> {
    match environment::image() {
        Image::Postgres => stop_server(&environment::postgres_spec(&environment::kept_or_own()?)?.data_dir)?,
        Image::Pgpool => bail!("there is no database server in this container: pgcluster stop NAME"),
    }
    Ok(Exit::Ok)
}

fn node(name: &str, consent: operator::Consent) -> anyhow::Result<Exit> {
    let cluster = operator::cluster()?;
    let number = operator::node(&cluster, name)?;
    block_on(async {
        let (view, sessions) = look_and_stay(&cluster).await;
        if let Some(exit) = operator::show(&proposal::stop::stop(&view, &cluster, number), consent) {
            return Ok(exit);
        }
        let sessions = begin_everywhere(&cluster, sessions, "stop").await?;
        restart::stop(&cluster, &sessions, number).await?;
        println!("stopped {name}'s server; its container starts again");
        Ok(Exit::Ok)
    })
}
