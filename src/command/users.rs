//! `pgcluster users`: are the roles of MSLIST there, and does everybody know their passwords?

use serde_json::json;

use crate::command::block_on;
use crate::command::status::paint;
use crate::exit::Exit;
use crate::model::RoleReport;
use crate::observe::here::Here;
use crate::observe::logins;
use crate::render::text;

pub fn run(json: bool) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let roles = block_on(async {
        let (view, sessions) = here.ask_states().await;
        let primary = view.primary().and_then(|(number, _)| {
            let (_, session) = sessions.iter().find(|(n, _)| *n == number)?;
            Some((&here.cluster().nodes[number.index()], &**session))
        });
        let pool = match &here {
            Here::Pgpool(spec) => Some(spec.as_ref()),
            Here::Postgres(_) => None,
        };
        (primary.is_some(), logins::check(here.cluster(), primary, pool).await)
    });
    let (has_primary, roles) = roles;
    match json {
        true => println!("{}", json!({ "users": roles })),
        false => print!("{}", text::users::users(&roles, paint())),
    }
    if !has_primary {
        anyhow::bail!("nobody is primary: what the roles are on the server is not known");
    }
    Ok(if roles.iter().all(RoleReport::is_good) { Exit::Ok } else { Exit::Failed })
}
