//! `pg_control`: bytes of a data directory that may be broken, or of another version, and what its tool prints.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::observe::control_file::{CHECKSUM_AT, crc32c, parse, printed};

fuzz_target!(|data: &[u8]| {
    assert!(parse(data).is_none() || data.len() >= CHECKSUM_AT + 4);
    // With the right checksum, so that the fields are looked at too.
    let mut whole = data.to_vec();
    whole.resize(CHECKSUM_AT + 4, 0);
    let checksum = crc32c(&whole[..CHECKSUM_AT]);
    whole[CHECKSUM_AT..].copy_from_slice(&checksum.to_ne_bytes());
    let found = parse(&whole);
    whole[data.len() % CHECKSUM_AT] ^= 1;
    assert_eq!(parse(&whole), None, "one bit is enough to be believed no more");
    let lines: Vec<String> = String::from_utf8_lossy(data).lines().map(String::from).collect();
    let _ = printed(&lines);
    if let Some(control) = found {
        let text = format!(
            "Database system identifier: {}\nDatabase cluster state: {}\nLatest checkpoint location: {}\nLatest checkpoint's TimeLineID: {}\n\
             Minimum recovery ending location: {}\nMin recovery ending loc's timeline: {}",
            control.system_id,
            if control.stopped == pgcluster::model::Stopped::Cleanly { "shut down" } else { "in production" },
            control.checkpoint_at,
            control.checkpoint_timeline,
            control.recovered_to,
            control.recovered_timeline,
        );
        let lines: Vec<String> = text.lines().map(String::from).collect();
        let mut again = printed(&lines).expect("what the tool would print is read");
        again.parameters = control.parameters;
        assert_eq!(again, control);
    }
});
