//! Who still takes writes although its reign is over, and must be stopped by whoever sees it: it may not know yet.

use crate::model::{ClusterView, Epoch, NodeNumber, Role};

/// A writable server of an older reign than the primary's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a stale primary that nobody stops goes on"]
pub struct Stale {
    pub number: NodeNumber,
    /// The reign of the real primary, on record there: whoever is below it has been deposed.
    pub reign: Epoch,
    pub because: String,
}

/// Every writable node of the primary's system whose reign is below the one that the primary has on record.
///
/// By its own reign, promise included: a node that was just promoted and has not written its row yet is no stale primary.
pub fn stale_primaries(view: &ClusterView) -> Vec<Stale> {
    let Some((primary, real)) = view.primary() else { return Vec::new() };
    let is_stale = |number: NodeNumber, role: Role, own: Epoch| number != primary && role == Role::Primary && own < real.epoch();
    view.serving()
        .filter(|(number, state)| state.system_id == real.system_id && is_stale(*number, state.role, state.own_reign()))
        .map(|(number, state)| Stale {
            number,
            reign: real.epoch(),
            because: format!("node {primary} is primary of epoch {}, its reign {} is over", real.epoch(), state.own_reign()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::model::Reach;
    use crate::plan::builders::{primary, silent, standby_of, view};

    fn stale(pg01: impl Into<Reach>, pg02: impl Into<Reach>, pg03: impl Into<Reach>) -> String {
        let found = stale_primaries(&view([pg01.into(), pg02.into(), pg03.into()]));
        found.iter().map(|stale| format!("{}: {}", stale.number, stale.because)).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn an_old_primary_that_was_thawed() {
        assert_snapshot!(stale(primary(), primary().epoch(2), standby_of("pg02")), @"0: node 1 is primary of epoch 2, its reign 1 is over");
        assert_snapshot!(stale(primary(), primary().epoch(2), primary().epoch(3)), @"0: node 2 is primary of epoch 3, its reign 1 is over; 1: node 2 is primary of epoch 3, its reign 2 is over");
    }

    #[test]
    fn nobody_when_there_is_one_primary_or_none() {
        assert_eq!(stale(primary(), standby_of("pg01"), silent()), "");
        assert_eq!(stale(silent(), standby_of("pg01"), standby_of("pg01")), "");
    }

    /// Its row is the last thing that a promotion writes.
    #[test]
    fn not_one_that_was_just_promoted() {
        assert_eq!(stale(primary().epoch(2), primary().promised(3), standby_of("pg02")), "");
        assert_eq!(stale(primary(), primary().promised(2), standby_of("pg02")), "");
    }

    #[test]
    fn not_one_of_the_same_epoch_nor_of_another_cluster() {
        assert_eq!(stale(primary().epoch(2), primary().epoch(2), standby_of("pg02")), "");
        assert_eq!(stale(primary().system(8), primary().epoch(2), standby_of("pg02")), "");
    }
}
