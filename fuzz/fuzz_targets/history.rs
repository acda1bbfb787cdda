//! Timeline histories, which come from other nodes: what is taken means the same when it is written down and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::model::{History, Lsn, Timeline};
use pgcluster_fuzz::texts;

fuzz_target!(|input: &str| {
    let [own, text] = texts(input);
    let Ok(own) = own.parse::<Timeline>() else { return };
    let Ok(history) = History::parse(own, text) else { return };
    let json = serde_json::to_value(&history).expect("a history is JSON");
    let forks: Vec<(u32, String)> = serde_json::from_value(json["forks"].clone()).expect("timelines and positions");
    assert!(forks.is_sorted_by(|one, other| one.0 < other.0) && forks.iter().all(|(timeline, _)| *timeline < own.0));
    let printed: String = forks.iter().map(|(timeline, end)| format!("{timeline}\t{end}\tno recovery target specified\n")).collect();
    assert_eq!(History::parse(own, &printed).as_ref(), Ok(&history));
    // Its own data are on its own path, to any end; so are those of each ancestor, to the fork and not one byte further.
    assert!(history.contains(&history, Lsn(u64::MAX)));
    for (index, (timeline, end)) in forks.iter().enumerate() {
        let end: Lsn = end.parse().expect("a position");
        assert_eq!(history.fork_of(Timeline(*timeline)), Some(end));
        let earlier: String = forks[..index].iter().map(|(timeline, end)| format!("{timeline}\t{end}\tr\n")).collect();
        let ancestor = History::parse(Timeline(*timeline), &earlier).expect("a prefix of a history");
        assert!(history.contains(&ancestor, end));
        assert!(end.0 == u64::MAX || !history.contains(&ancestor, Lsn(end.0 + 1)));
    }
});
