//! Packets of PCP: whatever pgpool sends, or whoever listens in its place, is an answer or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pgcluster::model::NodeNumber;
use pgcluster::pcp::packet::{Request, backend, error_text, fields, login};

fuzz_target!(|body: &[u8]| {
    let parts = fields(body);
    let text = String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(body)).into_owned();
    assert_eq!(parts.join("\0"), text, "no byte is lost between the strings");
    assert!(!error_text(body).is_empty());
    if let Ok(backend) = backend(&parts) {
        assert!(backend.weight.is_finite() || parts[6].contains(|c: char| c.is_ascii_alphabetic()) || parts[6].len() > 300);
        assert_eq!(parts[0], "NodeInfo");
    }
    let number = NodeNumber((body.len() as u32).wrapping_mul(0x0101_0101));
    let orders = [
        Request::Salt,
        Request::NodeCount,
        Request::NodeInfo(number),
        Request::Attach(number),
        Request::Detach(number),
        Request::MakePrimary(number),
        Request::Goodbye,
    ];
    for packet in orders.map(Request::encode).into_iter().chain([login("pgpool", &text, body)]) {
        let length = u32::from_be_bytes(packet[1..5].try_into().expect("four bytes"));
        assert_eq!(length as usize + 1, packet.len(), "the length counts itself and not the kind");
    }
});
