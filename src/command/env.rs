//! `pgcluster env`: every variable, its value and where it came from.

use serde_json::json;

use crate::exit::Exit;
use crate::observe::environment;
use crate::spec::{self, RawEnv, Source};

pub fn run(json: bool, reference: bool) -> anyhow::Result<Exit> {
    if reference {
        print!("{}", spec::vars::markdown());
        return Ok(Exit::Ok);
    }
    let resolved = spec::resolved(&RawEnv::read(&environment::kept_or_own()?));
    if json {
        let rows: Vec<_> =
            resolved.iter().map(|var| json!({ "name": var.name, "value": var.value, "source": word(&var.source) })).collect();
        println!("{}", json!({ "variables": rows }));
    } else {
        for var in resolved {
            println!("{:<28} {:<40} {}", var.name, var.value.as_deref().unwrap_or("-"), word(&var.source));
        }
    }
    Ok(Exit::Ok)
}

fn word(source: &Source) -> String {
    match source {
        Source::Default => "default".into(),
        Source::Env => "environment".into(),
        Source::File(path) => format!("file {path}"),
        Source::Alias(name) => format!("alias {name}"),
    }
}
