//! The text of `pgcluster smoke`.

use super::{Cell, Paint, Table, Tone, WIDTH};
use crate::model::SmokeStep;

pub fn smoke(steps: &[SmokeStep], paint: Paint) -> String {
    let mut table = Table::new(&["", "where", "what", "ms", "detail"]).numbers(&[3]);
    for step in steps {
        let word = if step.ok { Cell::new("ok", Tone::Good) } else { Cell::new("FAILED", Tone::Bad) };
        let ms = if step.what == "connect" { "-".to_owned() } else { step.ms.to_string() };
        table.row(vec![word, step.place.as_str().into(), step.what.into(), ms.into(), step.detail.as_str().into()]);
    }
    let mut text = table.text(WIDTH, paint);
    let failed = steps.iter().filter(|step| !step.ok).count();
    text.push_str(&match failed {
        0 => format!("all {} steps went well\n", steps.len()),
        n => format!("{n} of {} steps failed\n", steps.len()),
    });
    text
}
