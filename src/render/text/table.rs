//! Columns that line up, and paragraphs that fit.

/// Whether the reader is a terminal that shows colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    Plain,
    Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Odd,
    Bad,
    Faint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

impl Cell {
    pub fn new(text: impl Into<String>, tone: Tone) -> Cell {
        Cell { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text, Tone::Plain)
    }
}

impl Paint {
    pub fn paint(self, text: &str, tone: Tone) -> String {
        let code = match (self, tone) {
            (Paint::Plain, _) | (Paint::Colour, Tone::Plain) => return text.to_owned(),
            (Paint::Colour, Tone::Good) => "32",
            (Paint::Colour, Tone::Odd) => "33",
            (Paint::Colour, Tone::Bad) => "31;1",
            (Paint::Colour, Tone::Faint) => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

const GAP: &str = "  ";
/// A column is not cut below this.
const NARROW: usize = 8;

/// Rows under a heading. A row may be shorter than the heading: its last cell then runs on to the edge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    heading: Vec<&'static str>,
    /// Headings that are only known at run time, after the others.
    more: Vec<String>,
    numbers: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub fn new(heading: &[&'static str]) -> Table {
        Table { heading: heading.to_vec(), ..Table::default() }
    }

    pub fn column(&mut self, heading: &str) {
        self.more.push(heading.to_owned());
    }

    /// Columns whose cells stand at the right.
    pub fn numbers(mut self, columns: &[usize]) -> Table {
        self.numbers = columns.to_vec();
        self
    }

    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub fn text(&self, width: usize, paint: Paint) -> String {
        let headings: Vec<Cell> = self
            .heading
            .iter()
            .map(|h| Cell::new(*h, Tone::Faint))
            .chain(self.more.iter().map(|h| Cell::new(h.as_str(), Tone::Faint)))
            .collect();
        let widths = self.widths(&headings, width);
        let mut text = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            text.push_str(&self.line(row, &widths, width, paint));
            text.push('\n');
        }
        text
    }

    fn widths(&self, headings: &[Cell], width: usize) -> Vec<usize> {
        let columns = headings.len();
        let mut widths: Vec<usize> = headings.iter().map(|cell| length(&cell.text)).collect();
        for row in &self.rows {
            // The last cell of a short row runs on, and takes no part.
            let counted = if row.len() == columns { columns } else { row.len().saturating_sub(1) };
            for (column, cell) in row.iter().take(counted).enumerate() {
                widths[column] = widths[column].max(length(&cell.text));
            }
        }
        // The widest gives way first.
        while widths.iter().sum::<usize>() + GAP.len() * (columns - 1) > width {
            let Some(widest) = widths.iter_mut().max() else { break };
            if *widest <= NARROW {
                break;
            }
            *widest -= 1;
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize], width: usize, paint: Paint) -> String {
        let mut line = String::new();
        let mut used = 0;
        for (column, cell) in row.iter().enumerate() {
            let is_last = column + 1 == row.len();
            let room = if is_last { width.saturating_sub(used) } else { widths[column] };
            let shown = shortened(&cell.text, room);
            let blanks = " ".repeat(widths[column].saturating_sub(length(&shown)));
            let painted = paint.paint(&shown, cell.tone);
            match (self.numbers.contains(&column), is_last) {
                (true, _) if row.len() == widths.len() => line.push_str(&format!("{blanks}{painted}")),
                (_, true) => line.push_str(&painted),
                (_, false) => line.push_str(&format!("{painted}{blanks}")),
            }
            if !is_last {
                line.push_str(GAP);
            }
            used += widths[column] + GAP.len();
        }
        line.trim_end().to_owned()
    }
}

fn length(text: &str) -> usize {
    text.chars().count()
}

fn shortened(text: &str, room: usize) -> String {
    if length(text) <= room {
        return text.to_owned();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

/// Words in lines of at most `width`, each after `indent` blanks; a word that is longer is cut in pieces.
pub fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let room = width.saturating_sub(indent).max(1);
    let mut lines: Vec<String> = vec![String::new()];
    let pieces = text.split_whitespace().flat_map(|word| {
        let letters: Vec<char> = word.chars().collect();
        letters.chunks(room).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>()
    });
    for piece in pieces {
        let last = lines.last_mut().expect("there is a line");
        if !last.is_empty() && length(last) + 1 + length(&piece) > room {
            lines.push(piece);
        } else {
            if !last.is_empty() {
                last.push(' ');
            }
            last.push_str(&piece);
        }
    }
    lines.iter().map(|line| format!("{}{line}\n", " ".repeat(indent))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_gives_way_where_it_is_widest() {
        let mut table = Table::new(&["name", "lag"]).numbers(&[1]);
        table.row(vec!["a-very-long-name-of-a-node".into(), "7 B".into()]);
        table.row(vec!["pg01".into(), "1024 MB".into()]);
        assert_eq!(
            table.text(24, Paint::Plain),
            "name                 lag\na-very-long-na…      7 B\npg01             1024 MB\n"
        );
    }

    #[test]
    fn a_short_row_runs_on() {
        let mut table = Table::new(&["name", "a", "b"]);
        table.row(vec!["pg01".into(), "does not answer, and says why".into()]);
        assert_eq!(table.text(100, Paint::Plain), "name  a  b\npg01  does not answer, and says why\n");
    }

    #[test]
    fn colours_take_no_room() {
        let mut table = Table::new(&["a", "b"]);
        table.row(vec![Cell::new("x", Tone::Bad), "y".into()]);
        assert_eq!(table.text(100, Paint::Colour), "\u{1b}[2ma\u{1b}[0m  \u{1b}[2mb\u{1b}[0m\n\u{1b}[31;1mx\u{1b}[0m  y\n");
    }

    #[test]
    fn paragraphs_fit() {
        assert_eq!(wrapped("one two three", 2, 9), "  one two\n  three\n");
        assert_eq!(wrapped("abcdefgh", 0, 3), "abc\ndef\ngh\n");
    }
}
