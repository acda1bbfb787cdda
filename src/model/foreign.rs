//! Words of others: what a port says before anybody has proven who it is, on its way to logs and terminals.

/// Longest text of a stranger that is kept.
const MOST_CHARS: usize = 1_000;

/// A stranger's text as one harmless line: what could steer a terminal, forge a line or turn the reading direction is escaped
/// (`\u001b`, as JSON does, for it may be in JSON), and what is longer than 1000 characters is cut. Doing it twice changes nothing.
pub fn one_line(text: &str) -> String {
    let mut line = escaped(text.chars().take(MOST_CHARS + 1), steers);
    if line.chars().nth(MOST_CHARS).is_some() {
        let end = line.char_indices().nth(MOST_CHARS - 1).map_or(line.len(), |(end, _)| end);
        line.truncate(end);
        line.push('…');
    }
    line
}

/// The same for a text that may have lines and tabs of its own, such as an error with its hints; not cut.
pub fn lines(text: &str) -> String {
    escaped(text.chars(), |c| steers(c) && c != '\n' && c != '\t')
}

fn escaped(text: impl Iterator<Item = char>, is_bad: impl Fn(char) -> bool) -> String {
    let mut line = String::new();
    for c in text {
        match is_bad(c) {
            true if matches!(c, '\n' | '\r' | '\t') => line.extend(c.escape_default()),
            true => line.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => line.push(c),
        }
    }
    line
}

/// Control characters, line separators, and those that turn the direction of what follows.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_stranger_steers_a_terminal_or_forges_a_line() {
        assert_eq!(one_line("ok\u{1b}[2J\n2026 INFO all is well\r\0"), r"ok\u001b[2J\n2026 INFO all is well\r\u0000");
        assert_eq!(one_line("\u{9b}31m \u{202e}gnp.exe"), r"\u009b31m \u202egnp.exe");
        assert_eq!(one_line("höflich, \"ja\" \\n"), "höflich, \"ja\" \\n");
    }

    #[test]
    fn a_long_text_is_cut_once() {
        for text in ["\u{1b}ä".repeat(5_000), "\u{1b}".repeat(999), "ä".repeat(1_001)] {
            let long = one_line(&text);
            assert_eq!(long.chars().count(), MOST_CHARS);
            assert_eq!(one_line(&long), long);
        }
        let fits = "ä".repeat(1_000);
        assert_eq!(one_line(&fits), fits);
    }

    #[test]
    fn an_error_keeps_its_own_lines() {
        assert_eq!(lines("a\n  hint:\tb\u{1b}"), "a\n  hint:\tb\\u001b");
    }
}
