//! A measured figure beside its peer's and its bar, and the table of them.

/// Samples of one thing, ours and the peer's, taken in turns.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    pub ours: Vec<f64>,
    pub peer: Vec<f64>,
}

#[derive(Clone, Copy, Debug)]
pub enum Bar {
    /// Ours is at most this many times the peer's.
    TimesPeer(f64),
    /// Ours is at most this much more than the peer's.
    MoreThanPeer(f64),
    /// Ours is at most this.
    AtMost(f64),
    /// Only shown.
    None,
}

const COLUMNS: usize = 7;

pub struct Figure {
    pub what: String,
    /// `ms`, `MB`.
    pub unit: &'static str,
    pub samples: Samples,
    pub bar: Bar,
}

impl Figure {
    fn is_met(&self) -> bool {
        let (ours, peer) = (median(&self.samples.ours), median(&self.samples.peer));
        match self.bar {
            Bar::TimesPeer(times) => ours <= peer * times,
            Bar::MoreThanPeer(more) => ours <= peer + more,
            Bar::AtMost(most) => ours <= most,
            Bar::None => true,
        }
    }

    fn row(&self) -> [String; COLUMNS] {
        let (ours, peer) = (median(&self.samples.ours), median(&self.samples.peer));
        let number = |value: f64| format!("{value:.*} {}", if value < 20.0 { 2 } else { 0 }, self.unit);
        let optional = |text: String| if self.samples.peer.is_empty() { "–".to_string() } else { text };
        let bar = match self.bar {
            Bar::TimesPeer(times) => format!("≤ {times} ×"),
            Bar::MoreThanPeer(more) => format!("≤ peer + {more} {}", self.unit),
            Bar::AtMost(most) => format!("≤ {most} {}", self.unit),
            Bar::None => "–".into(),
        };
        let worst = self.samples.ours.iter().copied().fold(f64::NAN, f64::max);
        [
            self.what.clone(),
            format!("{} ({})", number(ours), self.samples.ours.len()),
            number(worst),
            optional(number(peer)),
            optional(format!("{:.2}", ours / peer)),
            bar,
            match (self.bar, self.is_met()) {
                (Bar::None, _) => "",
                (_, true) => "met",
                (_, false) => "MISSED",
            }
            .into(),
        ]
    }
}

/// The middle one; of an even number the mean of the two in the middle.
pub fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.get(sorted.len().saturating_sub(1) / 2), sorted.get(sorted.len() / 2)) {
        (Some(low), Some(high)) => (low + high) / 2.0,
        _ => f64::NAN,
    }
}

/// Medians, with the number of samples after ours, and our worst.
pub fn table(figures: &[Figure]) -> String {
    let head = ["what", "ours (n)", "worst", "peer", "ratio", "bar", ""].map(String::from);
    let rows: Vec<[String; COLUMNS]> = std::iter::once(head).chain(figures.iter().map(Figure::row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("{}\n", cells.join(" | ").trim_end_matches([' ', '|']))
    };
    rows.iter().map(line).collect()
}
