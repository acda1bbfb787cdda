//! What would change in a file, line by line, as `diff -U2` shows it.

use std::ops::Range;

const CONTEXT: usize = 2;

/// One line of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Empty if nothing would change. Lines begin with a blank, `-` (is there) or `+` (would be).
pub fn diff(old: &str, new: &str) -> String {
    let lines = compare(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    let mut text = String::new();
    let mut end = 0;
    for hunk in hunks(&lines) {
        if end > 0 && hunk.start > end {
            text.push_str("…\n");
        }
        end = hunk.end;
        for line in &lines[hunk] {
            let (mark, words) = match line {
                Line::Same(words) => (' ', words),
                Line::Gone(words) => ('-', words),
                Line::New(words) => ('+', words),
            };
            text.push_str(&format!("{mark} {words}\n"));
        }
    }
    text
}

/// The longest common subsequence; our files have some hundred lines.
fn compare<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let mut common = vec![vec![0u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[i + 1][j] >= common[i][j + 1]) {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
    lines
}

/// The changes with the lines around them; neighbours that touch are one.
fn hunks(lines: &[Line]) -> Vec<Range<usize>> {
    let mut hunks: Vec<Range<usize>> = Vec::new();
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_))) {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(lines.len()));
        match hunks.last_mut() {
            Some(last) if last.end >= start => last.end = end,
            Some(_) | None => hunks.push(start..end),
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn what_changes_is_shown_with_its_neighbours() {
        assert_eq!(diff("a\nb\n", "a\nb\n"), "");
        assert_eq!(diff("1\n2\n3\n4\n5\n6\n", "1\n2\n3\nX\n5\n6\n"), "  2\n  3\n- 4\n+ X\n  5\n  6\n");
        assert_eq!(diff("", "a\n"), "+ a\n");
        let old: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let mut new = old.clone();
        new[1] = "one".into();
        new.remove(18);
        let shown = diff(&old.join("\n"), &new.join("\n"));
        assert_eq!(shown, "  0\n- 1\n+ one\n  2\n  3\n…\n  16\n  17\n- 18\n  19\n");
    }
}
