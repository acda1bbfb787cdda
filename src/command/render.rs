//! `pgcluster render`: the files that a start would write now, without writing them.

use std::path::Path;

use serde_json::json;

use crate::act::{configuration, pool};
use crate::exit::Exit;
use crate::model::ParameterFloor;
use crate::observe::environment::{self, Image};
use crate::render::paths;
use crate::render::{NodeStatus, RenderedFile, pgpool_files, postgres_files};

pub fn run(file: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let snapshot = environment::kept_or_own()?;
    let files = match environment::image() {
        Image::Postgres => {
            let spec = environment::postgres_spec(&snapshot)?;
            postgres_files(&spec, &configuration::facts(&spec, ParameterFloor::default(), None)?)?
        }
        Image::Pgpool => {
            let spec = environment::pgpool_spec(&snapshot)?;
            let status = vec![NodeStatus::Up; spec.cluster.nodes.len()];
            pgpool_files(&spec, &pool::facts(&spec, status)?)?
        }
    };
    let wanted = |each: &&RenderedFile| file.is_none_or(|name| each.path.ends_with(name));
    let shown: Vec<&RenderedFile> = files.iter().filter(wanted).collect();
    if shown.is_empty() {
        anyhow::bail!("no file of that name; there are: {}", names(&files));
    }
    for each in shown {
        let body = if paths::HOLD_SECRETS.iter().any(|path| each.path == Path::new(path)) {
            "(holds secrets: not shown)\n"
        } else {
            each.body.as_str()
        };
        match json {
            true => println!("{}", json!({ "path": each.path, "mode": format!("{:04o}", each.mode), "body": body })),
            false => println!("==> {} ({:04o})\n{body}", each.path.display(), each.mode),
        }
    }
    Ok(Exit::Ok)
}

fn names(files: &[RenderedFile]) -> String {
    files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", ")
}
