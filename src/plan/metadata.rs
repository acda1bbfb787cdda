//! What `repmgr.nodes` and the slots of a primary must say, against what they say.

use crate::model::{ClusterView, NodeId, NodeNumber, Role};

/// A row of `repmgr.nodes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub id: NodeId,
    /// `primary`, `standby` or `witness`.
    pub kind: String,
    pub active: bool,
    pub upstream: Option<NodeId>,
}

/// The nodes whose rows are wrong, and what they are in truth: this primary itself, and whoever streams from it. Of those who do not
/// answer nothing is known: their rows stay.
pub fn wrong_rows(me: NodeNumber, others: &ClusterView, rows: &[Row]) -> Vec<(NodeNumber, Role)> {
    let is_right = |number: NodeNumber, kind: &str, upstream: Option<NodeNumber>| {
        let of = |row: &&Row| row.id == number.id();
        rows.iter().find(of).is_some_and(|row| row.active && row.kind == kind && row.upstream == upstream.map(NodeNumber::id))
    };
    let follows_me = others.serving().filter(|(_, state)| {
        let upstream = others.upstream_of(state);
        state.role == Role::Standby && state.receiver_silent_ms.is_some() && upstream == Some(me)
    });
    let mut wrong = Vec::new();
    if !is_right(me, "primary", None) {
        wrong.push((me, Role::Primary));
    }
    wrong.extend(
        follows_me.map(|(number, _)| number).filter(|number| !is_right(*number, "standby", Some(me))).map(|n| (n, Role::Standby)),
    );
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::builders::{PG01, PG02, PG03, others, primary, silent, standby_of};

    fn row(number: NodeNumber, kind: &str, upstream: Option<NodeNumber>) -> Row {
        Row { id: number.id(), kind: kind.into(), active: true, upstream: upstream.map(NodeNumber::id) }
    }

    #[test]
    fn true_rows_are_left_alone() {
        let seen = others(PG01, [standby_of("pg01").heard_ms_ago(5).into(), silent()]);
        let rows = [row(PG01, "primary", None), row(PG02, "standby", Some(PG01)), row(PG03, "primary", None)];
        assert_eq!(wrong_rows(PG01, &seen, &rows), []);
    }

    #[test]
    fn whoever_streams_is_an_active_standby_of_this_primary() {
        let seen = others(PG01, [standby_of("pg01").heard_ms_ago(5).into(), standby_of("pg01").heard_ms_ago(5).into()]);
        let inactive = Row { active: false, ..row(PG03, "standby", Some(PG01)) };
        let rows = [row(PG01, "standby", Some(PG02)), row(PG02, "primary", None), inactive];
        let expected = [(PG01, Role::Primary), (PG02, Role::Standby), (PG03, Role::Standby)];
        assert_eq!(wrong_rows(PG01, &seen, &rows), expected);
        assert_eq!(wrong_rows(PG01, &seen, &[]), expected, "rows that are missing are wrong");
    }

    #[test]
    fn nothing_is_said_of_those_who_do_not_stream_from_here() {
        let seen = others(PG01, [standby_of("pg01").into(), primary().into()]);
        assert_eq!(wrong_rows(PG01, &seen, &[row(PG01, "primary", None)]), []);
    }
}
