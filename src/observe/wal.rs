//! Where the WAL of a data directory ends, while no server runs on it: what pg_waldump finds and says.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::act::command::{Command, CommandError};
use crate::act::signal::StopSignals;
use crate::model::{Lsn, OwnNode, Role, Timeline, WalEnd};
use crate::observe::tools::Tools;

const DEADLINE: Duration = Duration::from_secs(60);

/// Reads on from the last safe point (`own.wal_end`) until a record is invalid.
///
/// The first segment is named: without it pg_waldump takes the segment size from whatever file it meets first, and fails on one that
/// was only made in advance (`identify_target_directory` in pg_waldump.c).
pub async fn read_wal_end(data_dir: &Path, own: &OwnNode, tools: &Tools, stop: &StopSignals) -> anyhow::Result<WalEnd> {
    let safe = own.wal_end.lsn();
    let pg_wal = data_dir.join("pg_wal");
    let Some(size) = segment_bytes(&pg_wal) else { return Ok(without_end(own)) };
    let dump = Command::new(&tools.pg_waldump)
        .args(["--quiet", "--path"])
        .args([pg_wal])
        .args(["--start", &safe.to_string(), "--end", "FFFFFFFF/FFFFFFFF", &segment_name(own.timeline, safe, size)])
        .env("LC_ALL", "C")
        .timeout(DEADLINE)
        .run(stop)
        .await;
    let said = match dump {
        Ok(output) => output.stderr,
        // The end of WAL is an error to it.
        Err(CommandError::Failed { stderr, .. }) => stderr,
        Err(error) => return Err(error.into()),
    };
    Ok(end_in_waldump(&said, size).map_or_else(|| without_end(own), |end| WalEnd::At(end.max(safe))))
}

/// Nothing is readable from the safe point on. After it need not be anything where a standby was stopped; but a primary's safe point
/// is its last checkpoint, and without that record no server starts.
fn without_end(own: &OwnNode) -> WalEnd {
    match own.role {
        Role::Primary => WalEnd::Lost(own.wal_end.lsn()),
        Role::Standby => own.wal_end,
    }
}

/// All segments have the same size, also those made in advance.
fn segment_bytes(pg_wal: &Path) -> Option<u64> {
    let is_segment = |name: &str| name.len() == 24 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut entries = fs::read_dir(pg_wal).ok()?.flatten();
    entries.find_map(|entry| is_segment(entry.file_name().to_str()?).then(|| entry.metadata().ok())?).map(|meta| meta.len())
}

/// `XLogFileName` of xlog_internal.h.
fn segment_name(timeline: Timeline, at: Lsn, size: u64) -> String {
    let per_id = (1 << 32) / size;
    format!("{:08X}{:08X}{:08X}", timeline.0, at.0 / size / per_id, at.0 / size % per_id)
}

/// The reverse: where a segment begins.
fn segment_start(name: &str, size: u64) -> Option<Lsn> {
    let part = |range| u64::from_str_radix(name.get(range)?, 16).ok();
    Some(Lsn((part(8..16)? << 32) + part(16..24)? * size))
}

/// The first position that is no record any more, in pg_waldump's words:
///
/// - `invalid record length at 0/30000D8: expected at least 24, got 0`: WAL ends inside a page;
/// - `unexpected pageaddr 0/1002000 in WAL segment 000000010000000000000004, LSN 0/4002000, offset 8192`: at a page's end, before an
///   old page of a file that is used again (15 and older name the segment and the offset only);
/// - `could not find file "000000010000000000000005"`: at a segment's end.
fn end_in_waldump(stderr: &[String], size: u64) -> Option<Lsn> {
    let said = stderr.iter().rev();
    let mut ends = said.filter_map(|line| {
        if let Some((_, reason)) = line.split_once("error in WAL record at ") {
            page_in(reason, size).or_else(|| last_position_in(reason))
        } else {
            let (_, rest) = line.split_once("could not find file \"")?;
            segment_start(rest.split('"').next()?, size)
        }
    });
    ends.next()
}

fn page_in(reason: &str, size: u64) -> Option<Lsn> {
    let (_, rest) = reason.split_once(" segment ")?;
    if let Some((_, rest)) = rest.split_once("LSN ") {
        return rest.split(',').next()?.parse().ok();
    }
    let (segment, offset) = rest.split_once(", offset ")?;
    Some(Lsn(segment_start(segment, size)?.0 + offset.trim().parse::<u64>().ok()?))
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
            ("could not find file \"000000010000000100000005\": No such file or directory", "1/5000000"),
        ] {
            assert_eq!(end(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn without_a_record_there_is_no_end() {
        assert_eq!(end("could not find a valid record after 0/3000060"), None);
        assert_eq!(end("could not open file \"000000010000000000000003\": No such file or directory"), None);
    }

    #[test]
    fn segments_are_named_as_postgresql_does() {
        assert_eq!(segment_name(Timeline(3), Lsn(0x1_05AB_CDEF), SIZE), "000000030000000100000005");
        assert_eq!(segment_start("000000030000000100000005", SIZE), Some(Lsn(0x1_0500_0000)));
    }
}
