//! `pgcluster check`: is the environment valid? Touches nothing.

use serde_json::json;

use crate::exit::Exit;
use crate::observe::environment::{self, Image};

pub fn run(json: bool) -> anyhow::Result<Exit> {
    let snapshot = environment::read();
    let result = match environment::image() {
        Image::Postgres => environment::postgres_spec(&snapshot).map(|_| "postgres"),
        Image::Pgpool => environment::pgpool_spec(&snapshot).map(|_| "pgpool"),
    };
    match (result, json) {
        (Ok(image), false) => println!("the environment is valid for a {image} container"),
        (Ok(image), true) => println!("{}", json!({ "valid": true, "image": image, "violations": [] })),
        (Err(violations), false) => return Err(violations.into()),
        (Err(violations), true) => {
            let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
            println!("{}", json!({ "valid": false, "violations": texts }));
            return Ok(Exit::Config);
        }
    }
    Ok(Exit::Ok)
}
