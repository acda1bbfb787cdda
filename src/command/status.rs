//! `pgcluster status`: every node as it really is, and what is wrong.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::command::block_on;
use crate::exit::Exit;
use crate::model::{ClusterReport, Weight};
use crate::observe::here::{Here, Look};
use crate::plan::diagnose::{self, Facts};
use crate::render::text::{self, Paint};

/// From home, and nothing below: a screen that does not flicker.
const CLEAR: &str = "\u{1b}[H\u{1b}[J";

pub fn run(json: bool, watch: Option<u64>) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let Some(seconds) = watch else {
        let report = block_on(take(&here));
        show(&report, json, "");
        return Ok(exit(&report));
    };
    let clear = if paint() == Paint::Colour && !json { CLEAR } else { "" };
    block_on(async {
        loop {
            show(&take(&here).await, json, clear);
            // Whoever reads through a pipe wants each look as it comes; a closed pipe is the end of the watch.
            std::io::stdout().flush()?;
            tokio::time::sleep(Duration::from_secs(seconds.max(1))).await;
        }
    })
}

/// One look, made into a report.
pub async fn take(here: &Here) -> ClusterReport {
    report(here, &here.look().await)
}

pub fn report(here: &Here, look: &Look) -> ClusterReport {
    diagnose::report(&Facts {
        cluster: here.cluster(),
        view: &look.view,
        details: &look.details,
        pools: &look.pools,
        paused: look.view.paused(),
    })
}

fn show(report: &ClusterReport, json: bool, before: &str) {
    match json {
        true => println!("{}", serde_json::to_string(report).expect("a report is plain data")),
        false => print!("{before}{}", text::status::status(report, paint())),
    }
}

/// Colours for a terminal, unless NO_COLOR says otherwise.
pub fn paint() -> Paint {
    let is_wanted = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    if is_wanted { Paint::Colour } else { Paint::Plain }
}

fn exit(report: &ClusterReport) -> Exit {
    match report.weight() {
        None | Some(Weight::Notice) => Exit::Ok,
        Some(Weight::Degraded) => Exit::Failed,
        Some(Weight::Broken) => Exit::Broken,
    }
}
