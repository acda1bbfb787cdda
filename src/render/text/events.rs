//! The text of `pgcluster events`.

use super::{Cell, Paint, Table, Tone, WIDTH};
use crate::model::Event;

/// Oldest first, as a log.
pub fn events(events: &[Event], paint: Paint) -> String {
    let mut table = Table::new(&["at (UTC)", "node", "event", "details"]);
    for event in events {
        let tone = match (event.successful, event.source.as_str()) {
            (false, _) => Tone::Bad,
            (true, "epoch") => Tone::Good,
            (true, _) => Tone::Plain,
        };
        let word = if event.successful { event.event.clone() } else { format!("{} failed", event.event) };
        table.row(vec![
            event.at.chars().take("2026-11-25 17:20:11".len()).collect::<String>().into(),
            event.node.as_str().into(),
            Cell::new(word, tone),
            event.details.as_deref().unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ").into(),
        ]);
    }
    table.text(WIDTH, paint)
}
