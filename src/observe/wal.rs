//! Where the WAL of a data directory ends, while no server runs on it: what pg_waldump finds and says.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::act::command::{Command, CommandError};
use crate::act::signal::StopSignals;
use crate::model::{Lsn, OwnNode, Timeline, WalEnd};
use crate::observe::tools::Tools;

const DEADLINE: Duration = Duration::from_secs(60);

/// Reads on from the last safe point (`own.wal_end`) until a record is invalid.
///
/// After the point that a standby has recovered to there need not be a whole record, and its timeline may have begun in a later segment.
/// But the record of the last checkpoint must be there: without it no server starts. Read from there, half a record counts, as it does
/// for a receiver, which asks for the other half.
pub async fn read_wal_end(data_dir: &Path, own: &OwnNode, tools: &Tools, stop: &StopSignals) -> anyhow::Result<WalEnd> {
    let safe = own.wal_end.lsn();
    let pg_wal = data_dir.join("pg_wal");
    let (timeline, checkpoint) = own.checkpoint;
    for from in [safe, checkpoint] {
        if let Some(end) = read_from(from, own.timeline, &pg_wal, tools, stop).await? {
            return Ok(WalEnd::At(end.max(safe)));
        }
    }
    match read_from(checkpoint, timeline, &pg_wal, tools, stop).await? {
        Some(_) => Ok(own.wal_end),
        None => Ok(WalEnd::Lost(checkpoint)),
    }
}

/// None: there is no record at `from`.
///
/// The segments are named: without them pg_waldump takes the segment size from whatever file it meets first, and fails on one that
/// was only made in advance (`identify_target_directory` in pg_waldump.c).
async fn read_from(
    from: Lsn,
    timeline: Timeline,
    pg_wal: &Path,
    tools: &Tools,
    stop: &StopSignals,
) -> anyhow::Result<Option<Lsn>> {
    let Some(Segments { bytes, first, last }) = segments(pg_wal, timeline) else { return Ok(None) };
    let from = start_of(&first, bytes).map_or(from, |start| from.max(start));
    let dump = Command::new(&tools.pg_waldump)
        .args(["--quiet", "--path"])
        .args([pg_wal])
        .args(["--start", &from.to_string(), &segment_name(timeline, from, bytes), &last])
        .env("LC_ALL", "C")
        .timeout(DEADLINE)
        .run(stop)
        .await;
    match dump {
        // The last segment is full.
        Ok(_) => Ok(start_of(&last, bytes).map(|start| Lsn(start.0 + bytes))),
        // The end of WAL inside a segment is an error to it.
        Err(CommandError::Failed { stderr, .. }) => Ok(end_in_waldump(&stderr, bytes)),
        Err(error) => Err(error.into()),
    }
}

struct Segments {
    /// All have the same size, also those made in advance.
    bytes: u64,
    /// The names of this timeline's first and last one.
    first: String,
    last: String,
}

fn segments(pg_wal: &Path, timeline: Timeline) -> Option<Segments> {
    let prefix = format!("{:08X}", timeline.0);
    let mut names = segment_names(pg_wal);
    names.retain(|name| name.starts_with(&prefix));
    let (first, last) = (names.iter().min()?.clone(), names.iter().max()?.clone());
    let bytes = fs::metadata(pg_wal.join(&last)).ok()?.len();
    (bytes > 0).then_some(Segments { bytes, first, last })
}

/// All WAL segments of a directory; not history files, nor what is partial or being written.
fn segment_names(pg_wal: &Path) -> Vec<String> {
    let is_segment = |name: &String| name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let names = fs::read_dir(pg_wal).into_iter().flatten().flatten().filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(is_segment).collect()
}

/// The furthest timeline of which there is a segment: a standby's control file knows that of its last restartpoint only.
pub fn furthest_timeline(data_dir: &Path) -> Option<Timeline> {
    let timelines = segment_names(&data_dir.join("pg_wal")).into_iter();
    timelines.filter_map(|name| u32::from_str_radix(name.get(..8)?, 16).ok()).max().map(Timeline)
}

/// `XLogFileName` of xlog_internal.h.
fn segment_name(timeline: Timeline, at: Lsn, size: u64) -> String {
    let per_id = (1 << 32) / size;
    format!("{:08X}{:08X}{:08X}", timeline.0, at.0 / size / per_id, at.0 / size % per_id)
}

fn start_of(segment: &str, size: u64) -> Option<Lsn> {
    Lsn::of_segment(segment.get(8..)?, size)
}

/// The first position that is no record any more, in pg_waldump's words:
///
/// - `invalid record length at 0/30000D8: expected at least 24, got 0`: WAL ends inside a page;
/// - `unexpected pageaddr 0/1002000 in WAL segment 000000010000000000000004, LSN 0/4002000, offset 8192`: at a page's end, before an
///   old page of a file that is used again (15 and older name the segment and the offset only);
fn end_in_waldump(stderr: &[String], size: u64) -> Option<Lsn> {
    let said = stderr.iter().rev();
    let mut ends = said.filter_map(|line| {
        let (_, reason) = line.split_once("error in WAL record at ")?;
        page_in(reason, size).or_else(|| last_position_in(reason))
    });
    ends.next()
}

fn page_in(reason: &str, size: u64) -> Option<Lsn> {
    let (_, rest) = reason.split_once(" segment ")?;
    if let Some((_, rest)) = rest.split_once("LSN ") {
        return rest.split(',').next()?.parse().ok();
    }
    let (segment, offset) = rest.split_once(", offset ")?;
    Some(Lsn(start_of(segment, size)?.0 + offset.trim().parse::<u64>().ok()?))
}

/// The last `at X/X`; the record's own position comes first.
fn last_position_in(reason: &str) -> Option<Lsn> {
    reason.split(" at ").filter_map(|part| part.split([':', ' ', ',']).next()?.parse().ok()).last()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 16 << 20;

    fn end(text: &str) -> Option<String> {
        end_in_waldump(&[format!("pg_waldump: error: {text}")], SIZE).map(|lsn| lsn.to_string())
    }

    #[test]
    fn the_end_is_found_in_the_words_of_every_version() {
        for (text, expected) in [
            ("error in WAL record at 0/3000060: invalid record length at 0/30000D8: expected at least 24, got 0", "0/30000D8"),
            ("error in WAL record at 0/3000060: record with incorrect prev-link 0/9999999 at 0/30000D8", "0/30000D8"),
            (
                "error in WAL record at 0/4001F00: unexpected pageaddr 0/1002000 in WAL segment 000000010000000000000004, LSN 0/4002000, offset 8192",
                "0/4002000",
            ),
            (
                "error in WAL record at 0/4001F00: invalid magic number 0000 in log segment 000000010000000000000004, offset 8192",
                "0/4002000",
            ),
        ] {
            assert_eq!(end(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn without_a_record_there_is_no_end() {
        assert_eq!(end("could not find a valid record after 0/3000060"), None);
        assert_eq!(end("could not locate WAL file \"000000010000000000000003\""), None);
    }

    #[test]
    fn segments_are_named_as_postgresql_does() {
        assert_eq!(segment_name(Timeline(3), Lsn(0x1_05AB_CDEF), SIZE), "000000030000000100000005");
        assert_eq!(start_of("000000030000000100000005", SIZE), Some(Lsn(0x1_0500_0000)));
    }
}
