//! How far the data of a node is.

use serde::{Deserialize, Serialize};

use super::{Epoch, Lsn, Timeline};

/// How far the data of a node is: the reign it comes from, then the timeline, then the last log byte it received.
///
/// The derived order compares in exactly this order of fields. LSNs of different ranks are never compared alone: a node of an
/// older reign may have the larger LSN (commits that nobody acknowledged) and is still behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Rank {
    pub data_epoch: Epoch,
    pub timeline: Timeline,
    pub lsn: Lsn,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(epoch: u64, timeline: u32, lsn: u64) -> Rank {
        Rank { data_epoch: Epoch(epoch), timeline: Timeline(timeline), lsn: Lsn(lsn) }
    }

    #[test]
    fn the_reign_comes_first_then_the_timeline_then_the_position() {
        let ascending = [rank(1, 1, 5), rank(1, 1, 6), rank(1, 9, 1), rank(2, 1, 9), rank(2, 2, 1), rank(3, 1, 0)];
        assert!(ascending.is_sorted());
        assert!(rank(2, 3, 0x100) > rank(1, 9, u64::MAX), "an older reign never wins by a larger LSN");
    }

    #[test]
    fn json_names_its_parts() {
        let json = serde_json::to_string(&rank(2, 3, 0x300_0060)).unwrap();
        assert_eq!(json, r#"{"data_epoch":2,"timeline":3,"lsn":"0/3000060"}"#);
        assert_eq!(serde_json::from_str::<Rank>(&json).unwrap(), rank(2, 3, 0x300_0060));
    }
}
