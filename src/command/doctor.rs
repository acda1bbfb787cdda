//! `pgcluster doctor`: every known misconfiguration, why it matters, and how it is mended.

use serde::Serialize;

use crate::command::block_on;
use crate::command::status::{paint, report};
use crate::exit::Exit;
use crate::observe::here::Here;
use crate::observe::{doctor, environment};
use crate::plan::doctor::{Finding, Severity, examine};
use crate::render::text::Tone;
use crate::render::text::doctor::{Entry, doctor as text};
use crate::spec::RawEnv;

#[derive(Serialize)]
struct Json<'a> {
    checks: &'a [Finding],
}

pub fn run(json: bool) -> anyhow::Result<Exit> {
    let here = Here::read()?;
    let raw = RawEnv::read(&environment::kept_or_own()?);
    let findings = block_on(async {
        let look = here.look().await;
        let checkup = doctor::gather(&here, &look, &raw).await;
        examine(&checkup, &report(&here, &look).problems)
    });
    match json {
        true => println!("{}", serde_json::to_string(&Json { checks: &findings })?),
        false => print!("{}", shown(&findings)),
    }
    Ok(if findings.iter().any(|finding| finding.severity >= Severity::Warn) { Exit::Failed } else { Exit::Ok })
}

fn shown(findings: &[Finding]) -> String {
    let count = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let entries: Vec<Entry> = findings.iter().filter_map(entry).collect();
    text(&entries, count(Severity::Ok), count(Severity::Skipped), paint())
}

fn entry(finding: &Finding) -> Option<Entry<'_>> {
    let (severity, tone) = match finding.severity {
        Severity::Error => ("error", Tone::Bad),
        Severity::Warn => ("warn", Tone::Odd),
        Severity::Note => ("note", Tone::Faint),
        Severity::Ok | Severity::Skipped => return None,
    };
    Some(Entry { severity, tone, code: finding.code, seen: &finding.seen, why: finding.why, fix: &finding.fix })
}
