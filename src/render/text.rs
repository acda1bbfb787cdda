//! Reports as text for a terminal: at most 100 columns, colours only when asked for. Colour never says what words do not.

pub mod diff;
pub mod doctor;
pub mod events;
pub mod nodes;
pub mod plan;
pub mod proposal;
pub mod smoke;
pub mod status;
mod table;
pub mod users;

pub use table::{Cell, Paint, Table, Tone, wrapped};

/// What every text fits into.
pub const WIDTH: usize = 100;

/// `0 B`, `712 B`, `1.2 kB`, `64 MB`, `3.1 GB`: powers of 1024, two digits at least.
pub fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 10.0 => format!("{value:.1} {}", units[unit]),
        _ => format!("{value:.0} {}", units[unit]),
    }
}

/// `0.2 s`, `45 s`, `12 min`, `3.0 h`.
pub fn seconds(count: f64) -> String {
    match count {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, seconds};

    #[test]
    fn amounts_are_short() {
        let counts = [0, 712, 1024, 1300, 64 << 20, (3 << 30) + (100 << 20), u64::MAX];
        assert_eq!(counts.map(bytes), ["0 B", "712 B", "1.0 kB", "1.3 kB", "64 MB", "3.1 GB", "16777216 TB"]);
        assert_eq!([0.0, 0.24, 45.0, 720.0, 10800.0].map(seconds), ["0.0 s", "0.2 s", "45 s", "12 min", "3.0 h"]);
    }
}
