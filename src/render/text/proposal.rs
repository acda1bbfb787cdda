//! The text of a plan that waits for a person's consent.

use super::{WIDTH, wrapped};
use crate::model::Proposal;

/// The order and its reason, what was seen, numbered steps, and after `!` what to know.
pub fn proposal(proposal: &Proposal) -> String {
    let mut text = wrapped(&format!("{}: {}", proposal.order, proposal.because), 0, WIDTH);
    let name_width = proposal.seen.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, words) in &proposal.seen {
        text.push_str(&hanging(&format!("    {name:name_width$}  "), words));
    }
    for (place, step) in proposal.steps.iter().enumerate() {
        text.push_str(&hanging(&format!("{:>3}. ", place + 1), step));
    }
    for warning in &proposal.warnings {
        text.push_str(&hanging("  !  ", warning));
    }
    text
}

/// A paragraph under its first words.
fn hanging(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let block = wrapped(text, indent, WIDTH);
    format!("{first}{}", block.get(indent..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::proposal;
    use crate::model::{Outlook, Proposal};
    use crate::render::text::WIDTH;

    #[test]
    fn every_line_fits_and_paragraphs_hang() {
        let long = "word ".repeat(40);
        let text = proposal(&Proposal {
            order: "stop pg02".into(),
            because: "pg02 is a standby".into(),
            outlook: Outlook::NeedsConsent,
            seen: vec![("pg01".into(), "primary".into()), ("pg002".into(), long.clone())],
            steps: vec!["end it".into(), long],
            warnings: vec!["mind the gap".into()],
        });
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        insta::assert_snapshot!(text);
    }
}
