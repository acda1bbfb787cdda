//! `pgcluster render`: the files that a start would write now, without writing them; or how they differ from what is there.

use std::path::Path;

use serde_json::json;

use crate::act::{configuration, pool, rotation_watch};
use crate::command::block_on;
use crate::exit::Exit;
use crate::model::{ParameterFloor, Reach};
use crate::observe::here::Here;
use crate::render::text::diff::diff;
use crate::render::{NodeStatus, RenderedFile, paths, pgpool_files, postgres_files};

/// What a file holds after the start is pgpool's own.
const NOT_COMPARED: [&str; 1] = [paths::PGPOOL_STATUS];

pub fn run(file: Option<&str>, json: bool, changes: bool) -> anyhow::Result<Exit> {
    let files = files(&Here::read()?, changes)?;
    let wanted = |each: &&RenderedFile| file.is_none_or(|name| each.path.ends_with(name));
    let shown: Vec<&RenderedFile> = files.iter().filter(wanted).collect();
    if shown.is_empty() {
        let names: Vec<String> = files.iter().map(|file| file.path.display().to_string()).collect();
        anyhow::bail!("no file of that name; there are: {}", names.join(", "));
    }
    match changes {
        true => show_changes(&shown, json),
        false => shown.into_iter().for_each(|each| show(each, json)),
    }
    Ok(Exit::Ok)
}

/// With `compared`, a start's own look at the primary is part of it: a standby takes its parameters.
fn files(here: &Here, compared: bool) -> anyhow::Result<Vec<RenderedFile>> {
    match here {
        Here::Postgres(spec) => {
            let view = if compared { Some(block_on(here.ask_states()).0) } else { None };
            let primary = view.as_ref().and_then(|view| view.primary()).map(|(_, state)| state);
            let own = view.as_ref().and_then(|view| view.reach(spec.me)).and_then(Reach::serving);
            let floor = own.map_or_else(ParameterFloor::default, |state| state.parameters);
            postgres_files(spec, &configuration::facts(spec, floor, primary)?)
        }
        Here::Pgpool(spec) => {
            let mut facts = pool::facts(spec, vec![NodeStatus::Up; spec.cluster.nodes.len()])?;
            // A start makes a new one, and what is encrypted with it looks different then.
            facts.pool_key = rotation_watch::pool_key().unwrap_or(facts.pool_key);
            pgpool_files(spec, &facts)
        }
    }
}

fn holds_secrets(file: &RenderedFile) -> bool {
    paths::HOLD_SECRETS.iter().any(|path| file.path == Path::new(path))
}

fn show(file: &RenderedFile, json: bool) {
    let body = if holds_secrets(file) { "(holds secrets: not shown)\n" } else { file.body.as_str() };
    match json {
        true => println!("{}", json!({ "path": file.path, "mode": format!("{:04o}", file.mode), "body": body })),
        false => println!("==> {} ({:04o})\n{body}", file.path.display(), file.mode),
    }
}

/// Files that would stay as they are go without a word, in JSON with an empty diff.
fn show_changes(files: &[&RenderedFile], json: bool) {
    let mut changed = 0;
    for file in files.iter().filter(|file| !holds_secrets(file) && !NOT_COMPARED.iter().any(|path| file.path == Path::new(path)))
    {
        let difference = diff(&std::fs::read_to_string(&file.path).unwrap_or_default(), &file.body);
        changed += usize::from(!difference.is_empty());
        match (json, difference.is_empty()) {
            (true, _) => println!("{}", json!({ "path": file.path, "diff": difference })),
            (false, true) => {}
            (false, false) => println!("==> {}\n{difference}", file.path.display()),
        }
    }
    if !json && changed == 0 {
        println!("a start would write what is there (files with secrets were not compared)");
    }
}
