//! `global/pg_control`: what the data directory says of itself.
//!
//! Read directly where its format is known and its checksum is right, because a child process costs more than all the rest of a
//! restart; whatever else it may be, `pg_controldata` of the image's own version is asked.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::act::command::Command;
use crate::act::signal::StopSignals;
use crate::model::{Lsn, ParameterFloor, Stopped, SystemId, Timeline};
use crate::observe::tools::Tools;

#[derive(Clone, Debug, PartialEq)]
pub struct ControlFile {
    pub system_id: SystemId,
    pub stopped: Stopped,
    pub checkpoint_at: Lsn,
    pub checkpoint_timeline: Timeline,
    /// "Minimum recovery ending location"; 0 on a primary.
    pub recovered_to: Lsn,
    pub recovered_timeline: Timeline,
    pub parameters: ParameterFloor,
}

/// Only while no server runs there: it writes the file in place.
pub async fn read(data_dir: &Path, tools: &Tools, stop: &StopSignals) -> anyhow::Result<ControlFile> {
    match fs::read(data_dir.join("global/pg_control")).ok().as_deref().and_then(parse) {
        Some(control) => Ok(control),
        None => ask_tool(data_dir, tools, stop).await,
    }
}

/// `PG_CONTROL_VERSION` of PostgreSQL 13 to 16, and of 17, which put a field into a hole (src/include/catalog/pg_control.h).
const FORMATS: [u32; 2] = [1300, 1700];
/// `offsetof(ControlFileData, crc)` of these formats on 64-bit machines.
pub const CHECKSUM_AT: usize = 288;

/// `ControlFileData` of a known format, in this machine's byte order; none if it is anything else, or broken.
pub fn parse(bytes: &[u8]) -> Option<ControlFile> {
    let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    if !FORMATS.contains(&word(8)?) || word(CHECKSUM_AT)? != crc32c(&bytes[..CHECKSUM_AT]) {
        return None;
    }
    Some(ControlFile {
        system_id: SystemId(long(0)?),
        // DB_SHUTDOWNED, DB_SHUTDOWNED_IN_RECOVERY of enum DBState.
        stopped: match word(16)? {
            1 => Stopped::Cleanly,
            2 => Stopped::InRecovery,
            _ => Stopped::Crashed,
        },
        checkpoint_at: Lsn(long(32)?),
        checkpoint_timeline: Timeline(word(48)?),
        recovered_to: Lsn(long(136)?),
        recovered_timeline: Timeline(word(144)?),
        // MaxConnections, max_worker_processes, max_wal_senders, max_prepared_xacts, max_locks_per_xact.
        parameters: ParameterFloor::from_values([word(180)?, word(184)?, word(188)?, word(192)?, word(196)?]),
    })
}

/// The parameters that the WAL asks for, after the bytes of a running server's control file; none if it is being written just now, or of an
/// unknown format.
pub fn parameters_of(bytes: &[u8]) -> Option<ParameterFloor> {
    parse(bytes).map(|control| control.parameters)
}

/// CRC-32C (Castagnoli), as src/port/pg_crc32c_sb8.c computes it.
pub fn crc32c(bytes: &[u8]) -> u32 {
    let shift = |crc: u32| (crc >> 1) ^ (0x82F6_3B78 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), |crc, _| shift(crc)))
}

async fn ask_tool(data_dir: &Path, tools: &Tools, stop: &StopSignals) -> anyhow::Result<ControlFile> {
    let output = Command::new(&tools.pg_controldata)
        .args(["-D".as_ref(), data_dir.as_os_str()])
        .env("LC_ALL", "C")
        .timeout(Duration::from_secs(10))
        .run(stop)
        .await?;
    printed(&output.stdout)
}

/// What `pg_controldata` printed, line by line.
pub fn printed(lines: &[String]) -> anyhow::Result<ControlFile> {
    let fields: BTreeMap<&str, &str> =
        lines.iter().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim())).collect();
    let field = |name: &str| fields.get(name).copied().with_context(|| format!("pg_controldata printed no \"{name}\""));
    // `max_connections setting`; `max_prepared_xacts` and `max_locks_per_xact` are shortened there.
    let setting = |name: &str| {
        let short = name.replace("_prepared_transactions", "_prepared_xacts").replace("_per_transaction", "_per_xact");
        fields.get(format!("{short} setting").as_str()).and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Ok(ControlFile {
        system_id: field("Database system identifier")?.parse()?,
        stopped: match field("Database cluster state")? {
            "shut down" => Stopped::Cleanly,
            "shut down in recovery" => Stopped::InRecovery,
            _ => Stopped::Crashed,
        },
        checkpoint_at: field("Latest checkpoint location")?.parse()?,
        checkpoint_timeline: field("Latest checkpoint's TimeLineID")?.parse()?,
        recovered_to: field("Minimum recovery ending location")?.parse()?,
        recovered_timeline: field("Min recovery ending loc's timeline")?.parse()?,
        parameters: ParameterFloor::from_values(ParameterFloor::NAMES.map(setting)),
    })
}

#[cfg(all(test, target_endian = "little"))]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;

    /// The used part of the file of a standby of PostgreSQL 17.12, stopped cleanly on timeline 2.
    const FILE: &str = concat!(
        "D/Cuut81AWukBgAAiXkQDAIAAAAAAAAA5zUBawAAAAAwAQAEAAAAANgAAAQAAAAAAgAAAAIAAAABAAAAAQAAAOQCAAAAAAAAAIAA",
        "AAEAAAAAAAAA2gIAAAEAAAABAAAAAQAAAAAAAADkNQFrAAAAAAAAAAAAAAAA5AIAAAAAAADoAwAAAAAAAJiXAQUAAAAAAgAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAewAAAAkAAAAHAAAABQAAAE0AAAAAAAAACAAAAAAAAACH1jJBACAAAAAAAgAA",
        "IAAAAAAAAUAAAAAgAAAAzAcAAAAIAAABAAAAAQAAAB9j9sxiKZqh05UXOQXHcpMYvkUSwsv0rk5Sjr1x2oQ0Y1gHGg==",
    );
    /// What its `pg_controldata` prints of the fields that count.
    const PRINTED: &str = "\
Database system identifier:           7710503272061005839
Database cluster state:               shut down in recovery
Latest checkpoint location:           0/4000130
Latest checkpoint's REDO location:    0/40000D8
Latest checkpoint's TimeLineID:       2
Minimum recovery ending location:     0/5019798
Min recovery ending loc's timeline:   2
max_connections setting:              123
max_worker_processes setting:         9
max_wal_senders setting:              7
max_prepared_xacts setting:           5
max_locks_per_xact setting:           77";

    fn file() -> Vec<u8> {
        let mut file = BASE64_STANDARD.decode(FILE).expect("base64");
        file.resize(8192, 0);
        file
    }

    #[test]
    fn the_file_says_what_pg_controldata_prints() {
        let lines: Vec<String> = PRINTED.lines().map(String::from).collect();
        assert_eq!(parse(&file()), Some(printed(&lines).unwrap()));
        assert_eq!(crc32c(b"123456789"), 0xE306_9283, "the check value of CRC-32C");
    }

    #[test]
    fn what_is_broken_or_unknown_is_left_to_the_tool() {
        for at in 0..CHECKSUM_AT + 4 {
            let mut broken = file();
            broken[at] ^= 1;
            assert_eq!(parse(&broken), None, "byte {at}");
        }
        let mut newer = file();
        newer[8..12].copy_from_slice(&1800_u32.to_ne_bytes());
        let checksum = crc32c(&newer[..CHECKSUM_AT]);
        newer[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&checksum.to_ne_bytes());
        assert_eq!(parse(&newer), None);
        for length in [0, 100, CHECKSUM_AT + 3] {
            assert_eq!(parse(&file()[..length]), None);
        }
    }
}
