//! The text of `pgcluster doctor`.

use std::fmt::Write;

use super::{Paint, Tone, WIDTH, wrapped};

/// One thing that was found, as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// `error`, `warn` or `note`.
    pub severity: &'a str,
    pub tone: Tone,
    pub code: &'a str,
    pub seen: &'a str,
    pub why: &'a str,
    pub fix: &'a str,
}

/// What was found, then how many checks found nothing, and how many could not be made in this container.
pub fn doctor(entries: &[Entry], fine: usize, skipped: usize, paint: Paint) -> String {
    let mut text = String::new();
    for (place, entry) in entries.iter().enumerate() {
        let head = format!("{} {}: ", entry.severity, entry.code);
        let line = wrapped(&format!("{head}{}", entry.seen), 0, WIDTH);
        text.push_str(&line.replacen(entry.severity, &paint.paint(entry.severity, entry.tone), 1));
        // The same fault on several nodes is explained once.
        if entries.get(place + 1).is_none_or(|next| next.code != entry.code) {
            text.push_str(&wrapped(&format!("why: {}", entry.why), 4, WIDTH));
            text.push_str(&wrapped(&format!("fix: {}", entry.fix), 4, WIDTH));
        }
    }
    let _ = write!(text, "{fine} checks found nothing");
    if skipped > 0 {
        let _ = write!(text, "; {skipped} need a container of the other image");
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{Entry, Paint, Tone, doctor};

    #[test]
    fn a_fault_on_two_nodes_is_explained_once() {
        let seen = |seen| Entry {
            severity: "warn",
            tone: Tone::Odd,
            code: "no-init",
            seen,
            why: "The server is process 1 and inherits orphans.",
            fix: "`init: true` in the compose file",
        };
        let text = doctor(&[seen("pg01: process 1 is postgres"), seen("pg02: process 1 is postgres")], 40, 9, Paint::Plain);
        let expected = [
            "warn no-init: pg01: process 1 is postgres",
            "warn no-init: pg02: process 1 is postgres",
            "    why: The server is process 1 and inherits orphans.",
            "    fix: `init: true` in the compose file",
            "40 checks found nothing; 9 need a container of the other image",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_clean_bill_is_one_line() {
        assert_eq!(doctor(&[], 50, 0, Paint::Colour), "50 checks found nothing\n");
    }
}
