//! What a node says while it has nothing to serve yet: the words of the waiting room, written by one node and read by its peers.
//!
//! They travel in PostgreSQL's own ErrorResponse: SQLSTATE 57P03, message `pgcluster: pg02 is cloning`, detail one JSON line.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Epoch, OwnData, foreign};

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

/// The word of a node without data; its peers count it before anybody runs initdb.
const EMPTY: &str = "empty";

impl RoomState {
    /// Looking around before a decision. `because`: what it waits for, empty at first.
    pub fn of(own: &OwnData, because: &str) -> RoomState {
        let (state, detail) = match own {
            OwnData::None => (EMPTY, json!({ "because": because })),
            OwnData::Unfinished { promised_epoch } => {
                ("waiting", json!({ "because": because, "promised_epoch": promised_epoch, "data": "none" }))
            }
            OwnData::Valid(own) => (
                "waiting",
                json!({ "because": because, "promised_epoch": own.promised_epoch, "timeline": own.timeline, "system_id": own.system_id }),
            ),
        };
        RoomState { state: state.into(), detail }
    }

    /// Doing something whose progress is not known: `initialising`, `rewinding`, `joining`.
    pub fn working(word: &str) -> RoomState {
        RoomState { state: word.into(), detail: Value::Null }
    }

    /// Copying another node: percent done, rate in kB/s, seconds to go (none = unknown).
    pub fn cloning(percent: u64, rate_kb: u64, eta_s: Option<u64>) -> RoomState {
        let eta = eta_s.map_or_else(|| "unknown".into(), |s| format!("{s} s"));
        RoomState {
            state: format!("cloning {percent} % ({} MB/s, eta {eta})", rate_kb / 1024),
            detail: json!({ "percent": percent, "rate_kb": rate_kb, "eta_s": eta_s }),
        }
    }

    pub fn is_empty_node(&self) -> bool {
        self.state == EMPTY
    }

    /// Says of itself that it holds nothing that could be served: empty, or half rewound.
    pub fn is_without_data(&self) -> bool {
        self.is_empty_node() || self.detail["data"] == "none"
    }

    /// Seconds until a copy is complete, if the node could tell.
    pub fn eta_s(&self) -> Option<u64> {
        self.detail["eta_s"].as_u64()
    }

    /// What a waiting node with data has promised; 0 for one without.
    pub fn promised_epoch(&self) -> Epoch {
        serde_json::from_value(self.detail["promised_epoch"].clone()).unwrap_or(Epoch(0))
    }

    /// The message of the ErrorResponse.
    pub fn message(&self, node: &str) -> String {
        format!("{PREFIX}{node}{IS}{}", one_line(&self.state))
    }

    /// The detail of the ErrorResponse: always one line of JSON.
    pub fn detail_line(&self) -> String {
        self.detail.to_string()
    }

    /// Reads back what a peer said; `None` if the message is not from a waiting room. A detail that is missing or no JSON is null: the
    /// state alone is worth knowing. Whoever has the port may have said it, so nothing of it is kept that could steer a terminal.
    pub fn parse(message: &str, detail: Option<&str>) -> Option<Self> {
        let (_node, state) = message.strip_prefix(PREFIX)?.split_once(IS)?;
        let detail = detail.and_then(|text| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
        Some(Self { state: foreign::one_line(state), detail: harmless(detail) })
    }
}

/// Every text of a detail, made harmless.
fn harmless(detail: Value) -> Value {
    match detail {
        Value::String(text) => Value::String(foreign::one_line(&text)),
        Value::Array(items) => items.into_iter().map(harmless).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, harmless(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => detail,
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
    fn control_characters_of_a_stranger_are_escaped() {
        let said = RoomState::parse(
            "pgcluster: pg02 is \u{1b}]0;x\u{7}waiting",
            Some(r#"{"because": "a\u001b[2J\nb", "for": ["\u009b"]}"#),
        );
        let expected = json!({"because": r"a\u001b[2J\nb", "for": [r"\u009b"]});
        assert_eq!(said, Some(RoomState { state: r"\u001b]0;x\u0007waiting".into(), detail: expected }));
    }

    #[test]
    fn control_characters_never_reach_the_wire() {
        let state = RoomState { state: "clo\0ning\nnow".into(), detail: json!("a\0b\nc") };
        assert_eq!(state.message("pg02"), "pgcluster: pg02 is clo ning now");
        assert_eq!(state.detail_line(), r#""a\u0000b\nc""#);
    }
}
