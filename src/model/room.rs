//! What a node says while it has nothing to serve yet: the words of the waiting room, written by one node and read by its peers.
//!
//! They travel in PostgreSQL's own ErrorResponse: SQLSTATE 57P03, message `pgcluster: pg02 is cloning`, detail one JSON line.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// SQLSTATE `cannot_connect_now`: what a starting PostgreSQL answers too, so `pg_isready` says "rejecting connections".
pub const CANNOT_CONNECT_NOW: &str = "57P03";

const PREFIX: &str = "pgcluster: ";
const IS: &str = " is ";

/// State of a node that serves nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomState {
    /// In a word or a few: `empty`, `cloning`, `rewinding`, `waiting`.
    pub state: String,
    /// What a peer may want to know besides; an object or null.
    #[serde(default)]
    pub detail: Value,
}

impl RoomState {
    /// The message of the ErrorResponse.
    pub fn message(&self, node: &str) -> String {
        format!("{PREFIX}{node}{IS}{}", one_line(&self.state))
    }

    /// The detail of the ErrorResponse: always one line of JSON.
    pub fn detail_line(&self) -> String {
        self.detail.to_string()
    }

    /// Reads back what a peer said; `None` if the message is not from a waiting room. A detail that is missing or no JSON is null: the
    /// state alone is worth knowing.
    pub fn parse(message: &str, detail: Option<&str>) -> Option<Self> {
        let (_node, state) = message.strip_prefix(PREFIX)?.split_once(IS)?;
        let detail = detail.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        Some(Self { state: state.to_owned(), detail })
    }
}

/// A message that spans lines, or has a NUL, would break the protocol's fields and people's logs.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_peer_reads_what_was_written() {
        let state =
            RoomState { state: "waiting for pg01, which is silent".into(), detail: json!({"percent": 43, "for": ["pg01"]}) };
        assert_eq!(state.message("pg02"), "pgcluster: pg02 is waiting for pg01, which is silent");
        assert_eq!(RoomState::parse(&state.message("pg02"), Some(&state.detail_line())), Some(state));
    }

    #[test]
    fn postgres_own_words_are_no_waiting_room() {
        assert_eq!(RoomState::parse("the database system is starting up", None), None);
        assert_eq!(RoomState::parse("pgcluster: ", Some("{}")), None);
    }

    #[test]
    fn an_unreadable_detail_costs_only_the_detail() {
        let state = RoomState { state: "empty".into(), detail: Value::Null };
        assert_eq!(RoomState::parse("pgcluster: pg02 is empty", Some("{half")), Some(state.clone()));
        assert_eq!(RoomState::parse("pgcluster: pg02 is empty", None), Some(state));
    }

    #[test]
    fn control_characters_never_reach_the_wire() {
        let state = RoomState { state: "clo\0ning\nnow".into(), detail: json!("a\0b\nc") };
        assert_eq!(state.message("pg02"), "pgcluster: pg02 is clo ning now");
        assert_eq!(state.detail_line(), r#""a\u0000b\nc""#);
    }
}
