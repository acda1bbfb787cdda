//! What a peer's port says before anybody has proven who it is: nothing of it may steer a terminal, and it reads back as it was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::model::RoomState;
use pgcluster_fuzz::texts;

fuzz_target!(|input: &str| {
    let [message, detail] = texts(input);
    let detail = (!detail.is_empty()).then_some(detail);
    let Some(room) = RoomState::parse(message, detail) else { return };
    assert!(!room.state.contains(char::is_control), "{:?} would reach logs and terminals", room.state);
    let shown = room.message("pg02");
    assert!(!shown.contains(char::is_control));
    let line = room.detail_line();
    assert!(!line.contains(['\n', '\r', '\0']));
    assert_eq!(RoomState::parse(&shown, Some(&line)), Some(room.clone()));
    // What decisions ask of it.
    let _ = (room.is_empty_node(), room.is_without_data(), room.eta_s(), room.promised_epoch());
});
