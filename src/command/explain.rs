//! `pgcluster explain NAME`: a variable, a state, a problem code or an exit code, in words.

use serde_json::json;

use crate::exit::{CODES, Exit};
use crate::plan::explain::{Explanation, explain, names, nearest};
use crate::render::text::{WIDTH, wrapped};

pub fn run(name: Option<&str>, json: bool) -> anyhow::Result<Exit> {
    let Some(name) = name else {
        match json {
            true => println!("{}", json!({ "names": names() })),
            false => print!("{}", wrapped(&names().join(", "), 0, WIDTH)),
        }
        return Ok(Exit::Ok);
    };
    let Some(found) = explain(name).or_else(|| exit_code(name)) else {
        let hint =
            nearest(name).map_or_else(|| "`pgcluster explain` lists all names".into(), |near| format!("did you mean {near}?"));
        anyhow::bail!("nothing here is called {name}: {hint}");
    };
    match json {
        true => println!("{}", serde_json::to_string(&found)?),
        false => {
            print!("{} ({})\n{}", found.name, found.kind, wrapped(&found.meaning, 4, WIDTH));
            if let Some(fix) = &found.fix {
                print!("what to do\n{}", wrapped(fix, 4, WIDTH));
            }
        }
    }
    Ok(Exit::Ok)
}

fn exit_code(name: &str) -> Option<Explanation> {
    let (code, meaning) = CODES.iter().find(|(code, _)| *code == name.trim())?;
    Some(Explanation { name: (*code).into(), kind: "exit code", meaning: (*meaning).into(), fix: None })
}
