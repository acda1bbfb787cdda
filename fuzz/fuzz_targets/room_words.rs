//! What a peer's port says before anybody has proven who it is: nothing of it may steer a terminal, and it reads back as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::model::RoomState;
use pgcluster_fuzz::texts;
use serde_json::Value;

fuzz_target!(|input: &str| {
    let [message, detail] = texts(input);
    let detail = (!detail.is_empty()).then_some(detail);
    let Some(room) = RoomState::parse(message, detail) else { return };
    assert!(!room.state.contains(char::is_control), "{:?} would reach logs and terminals", room.state);
    let shown = room.message("pg02");
    assert!(!shown.contains(char::is_control));
    let line = room.detail_line();
    assert!(!line.contains(['\n', '\r', '\0']));
    let again = RoomState::parse(&shown, Some(&line)).expect("what was read is written as a waiting room's words");
    assert_eq!(again.state, room.state);
    // Of a fraction the last digit may change; nobody writes one.
    assert!(again.detail == room.detail || has_fraction(&room.detail), "{:?} became {:?}", room.detail, again.detail);
    // What decisions ask of it.
    let _ = (room.is_empty_node(), room.is_without_data(), room.eta_s(), room.promised_epoch());
});

fn has_fraction(detail: &Value) -> bool {
    match detail {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_fraction),
        Value::Object(fields) => fields.values().any(has_fraction),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}
