//! `pgcluster reload`: what was changed in files is taken over without a restart.

use crate::act::signal::StopSignals;
use crate::act::{reload, reload_pool};
use crate::command::{block_on, operator};
use crate::exit::Exit;
use crate::model::{Outlook, Proposal};
use crate::observe::environment::{self, Image};

pub fn run(consent: operator::Consent, stop: StopSignals) -> anyhow::Result<Exit> {
    let kept = environment::kept_or_own()?;
    let said = block_on(async {
        anyhow::Ok(match environment::image() {
            Image::Postgres => {
                let draft = reload::propose(&kept).await?;
                match operator::show(&proposal(&draft.lines), consent) {
                    None => Ok(reload::carry_out(&draft, &stop).await?),
                    Some(exit) => Err(exit),
                }
            }
            Image::Pgpool => {
                let draft = reload_pool::propose(&kept, &stop).await?;
                match operator::show(&proposal(&draft.lines), consent) {
                    None => Ok(reload_pool::carry_out(&draft).await?),
                    Some(exit) => Err(exit),
                }
            }
        })
    })?;
    Ok(match said {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            Exit::Ok
        }
        Err(exit) => exit,
    })
}

fn proposal(lines: &[String]) -> Proposal {
    let nothing = "all files are as they should be; the server only reads them again";
    Proposal {
        order: "reload".into(),
        because: "the files of this container, from its environment as it is now".into(),
        outlook: Outlook::NeedsConsent,
        seen: Vec::new(),
        steps: if lines.is_empty() { vec![nothing.into()] } else { lines.to_vec() },
        warnings: Vec::new(),
    }
}
