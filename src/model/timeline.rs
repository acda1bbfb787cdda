//! Timelines and how one grew out of the other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Lsn, Malformed};

/// Number of a branch of history: 1 after initdb, a higher one with each promotion.
///
/// The number alone does not identify the branch: two servers promoted apart may both mint timeline 2. Only the reign
/// ([`super::Epoch`]) and the history tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timeline(pub u32);

impl Timeline {
    /// The timeline that initdb begins; the only one without a history file.
    pub const FIRST: Timeline = Timeline(1);

    /// The name of its file in `pg_wal`, `TLHistoryFileName` of PostgreSQL: `0000000A.history` for timeline 10.
    #[must_use]
    pub fn history_file(self) -> String {
        format!("{:08X}.history", self.0)
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Timeline {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = "a whole number such as 1";
        text.parse().map(Timeline).map_err(|_| Malformed { noun: "a timeline", text: text.into(), expected })
    }
}

/// The way back from one timeline to the first: its ancestors and where each of them ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct History {
    own: Timeline,
    /// Ancestors in ascending order, each with the position where the next one took over.
    forks: Vec<(Timeline, Lsn)>,
}

impl History {
    /// The history of a timeline without ancestors.
    #[must_use]
    pub fn without_ancestors(own: Timeline) -> History {
        History { own, forks: Vec::new() }
    }

    /// Reads the text of the file `own.history_file()`, which does not say itself whose history it is.
    ///
    /// One line per ancestor, `tli <tab> X/X <tab> reason`; `#` comments and blank lines are skipped. As in
    /// `readTimeLineHistory` (`src/backend/access/transam/timeline.c`) the timelines must ascend and stay below `own`.
    pub fn parse(own: Timeline, text: &str) -> Result<History, Malformed> {
        let mut history = History::without_ancestors(own);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let expected = "ascending timelines below its own, each with the LSN where it ended";
            let malformed = || Malformed { noun: "a line of a timeline history", text: line.into(), expected };
            let mut fields = line.split_ascii_whitespace();
            let timeline: Timeline = fields.next().and_then(|field| field.parse().ok()).ok_or_else(malformed)?;
            let end: Lsn = fields.next().and_then(|field| field.parse().ok()).ok_or_else(malformed)?;
            let ascends = history.forks.last().is_none_or(|(last, _)| timeline > *last);
            if !ascends || timeline >= own {
                return Err(malformed());
            }
            history.forks.push((timeline, end));
        }
        Ok(history)
    }

    /// The timeline whose history this is.
    #[must_use]
    pub fn own(&self) -> Timeline {
        self.own
    }

    /// Where `timeline` ended in this history; `None` for its own timeline, which has not ended, and for strangers.
    #[must_use]
    pub fn fork_of(&self, timeline: Timeline) -> Option<Lsn> {
        self.forks.iter().find(|(ancestor, _)| *ancestor == timeline).map(|(_, end)| *end)
    }

    /// Is data with the history `other` that ends at `end` a prefix of this one, so that a server with it can follow without a rewind?
    ///
    /// An ancestor is on the path up to and including its end (an LSN is the position *after* the last byte), the own timeline
    /// without limit. Every ancestor must have ended at the same place in both: two servers promoted apart use the same number.
    #[must_use]
    pub fn contains(&self, other: &History, end: Lsn) -> bool {
        let is_same_path = other.forks.iter().all(|(timeline, fork)| self.fork_of(*timeline) == Some(*fork));
        let is_on_path = match other.own == self.own {
            true => self.forks.len() == other.forks.len(),
            false => self.fork_of(other.own).is_some_and(|fork| end <= fork),
        };
        is_same_path && is_on_path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: &str = "1\t0/3000148\tno recovery target specified\n\n2\t0/50000A0\tno recovery target specified\n";

    fn history() -> History {
        History::parse(Timeline(4), REAL).unwrap()
    }

    #[test]
    fn a_real_file_is_read() {
        let history = history();
        assert_eq!(history.own(), Timeline(4));
        assert_eq!(history.fork_of(Timeline(1)), Some(Lsn(0x300_0148)));
        assert_eq!(history.fork_of(Timeline(2)), Some(Lsn(0x500_00A0)));
        assert_eq!(history.fork_of(Timeline(3)), None, "timeline 3 was minted elsewhere and lost");
        assert_eq!(history.fork_of(Timeline(4)), None, "its own timeline goes on");
    }

    #[test]
    fn the_path_ends_where_the_next_timeline_took_over() {
        let (history, first) = (history(), History::without_ancestors(Timeline(1)));
        assert!(history.contains(&first, Lsn(0x300_0148)), "the fork itself");
        assert!(!history.contains(&first, Lsn(0x300_0149)), "one byte after the fork");
        let second = History::parse(Timeline(2), "1\t0/3000148\tr\n").unwrap();
        assert!(history.contains(&second, Lsn(0x300_0000)), "streaming begins at a segment start, before the fork");
        assert!(!history.contains(&History::without_ancestors(Timeline(3)), Lsn(0)));
        assert!(history.contains(&history, Lsn(u64::MAX)));
        assert!(!history.contains(&History::parse(Timeline(5), REAL).unwrap(), Lsn(0)));
    }

    #[test]
    fn a_timeline_of_the_same_number_that_began_elsewhere_is_another() {
        let elsewhere = History::parse(Timeline(2), "1\t0/3000100\tr\n").unwrap();
        assert!(!history().contains(&elsewhere, Lsn(0x300_0000)));
        let skipped = History::parse(Timeline(4), "1\t0/3000148\tr\n").unwrap();
        assert!(!history().contains(&skipped, Lsn(0x300_0000)) && !skipped.contains(&history(), Lsn(0x300_0000)));
    }

    #[test]
    fn the_first_timeline_has_no_ancestors() {
        assert_eq!(History::parse(Timeline::FIRST, ""), Ok(History::without_ancestors(Timeline::FIRST)));
        assert_eq!(History::parse(Timeline(2), "# note\n 1 0/10 \n").unwrap().fork_of(Timeline(1)), Some(Lsn(0x10)));
    }

    #[test]
    fn a_broken_file_is_refused() {
        for bad in ["x\t0/1\tr", "1", "1\t0-1\tr", "2\t0/1\tr\n1\t0/2\tr", "1\t0/1\tr\n1\t0/2\tr", "4\t0/1\tr", "5\t0/1\tr"] {
            assert!(History::parse(Timeline(4), bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn names_and_json() {
        assert_eq!(Timeline(10).history_file(), "0000000A.history");
        assert_eq!("12".parse(), Ok(Timeline(12)));
        assert!("0x1".parse::<Timeline>().is_err());
        let json = serde_json::to_string(&history()).unwrap();
        assert_eq!(json, r#"{"own":4,"forks":[[1,"0/3000148"],[2,"0/50000A0"]]}"#);
        assert_eq!(serde_json::from_str::<History>(&json).unwrap(), history());
    }
}
