//! Write-ahead log as a list of entries. The position (LSN) is the number of entries; contents are compared by their identity, which
//! PostgreSQL cannot do: it compares numbers of timelines and positions only.

use pgcluster::model::{Epoch, History, Lsn, Timeline};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Unique in the world.
    pub id: u64,
    pub timeline: u32,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// initdb, or the end of recovery of a promotion.
    Begin,
    /// A row of `pgcluster.epoch`.
    Row(u64),
    Commit,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wal(pub Vec<Entry>);

impl Wal {
    pub fn end(&self) -> usize {
        self.0.len()
    }

    pub fn lsn(&self) -> Lsn {
        Lsn(self.0.len() as u64)
    }

    pub fn timeline(&self) -> u32 {
        self.0.last().map_or(1, |entry| entry.timeline)
    }

    /// `max(epoch)` of the table; replay has reached the end of what was received.
    pub fn data_epoch(&self) -> Option<Epoch> {
        let rows = self.0.iter().filter_map(|entry| match entry.kind {
            Kind::Row(epoch) => Some(Epoch(epoch)),
            Kind::Begin | Kind::Commit => None,
        });
        rows.max()
    }

    /// Each timeline with the position where it ended, without the last.
    pub fn forks(&self) -> Vec<(u32, usize)> {
        let ends = self.0.windows(2).enumerate().filter(|(_, pair)| pair[0].timeline != pair[1].timeline);
        ends.map(|(at, pair)| (pair[0].timeline, at + 1)).collect()
    }

    pub fn history(&self) -> History {
        let line = |(timeline, end): &(u32, usize)| format!("{timeline}\t{}\tmodel\n", Lsn(*end as u64));
        let text: String = self.forks().iter().map(line).collect();
        History::parse(Timeline(self.timeline()), &text).expect("timelines ascend")
    }

    /// What no server can know for sure: is all of this the beginning of `other`?
    pub fn is_prefix_of(&self, other: &Wal) -> bool {
        other.0.starts_with(&self.0)
    }

    /// Where pg_rewind would say that the two parted: nowhere if both are on timelines of the same number. Numbers and beginnings are
    /// compared, not contents (`findCommonAncestorTimeline` in pg_rewind.c).
    pub fn rewind_point(&self, source: &Wal) -> Option<usize> {
        if self.timeline() == source.timeline() {
            return None;
        }
        let spans = |wal: &Wal| {
            let (mut begin, mut spans) = (0, Vec::new());
            for (timeline, end) in wal.forks().into_iter().chain([(wal.timeline(), usize::MAX)]) {
                spans.push((timeline, begin, end));
                begin = end;
            }
            spans
        };
        let (mine, theirs) = (spans(self), spans(source));
        let common = mine.iter().zip(&theirs).take_while(|(a, b)| (a.0, a.1) == (b.0, b.1)).last();
        common.map(|(a, b)| a.2.min(b.2).min(self.end()).min(source.end()))
    }
}
