use super::*;

#[test]
fn requests_are_what_pgpools_own_client_sends() {
    assert_eq!(Request::Salt.encode(), b"M\0\0\0\x04");
    assert_eq!(Request::NodeCount.encode(), b"L\0\0\0\x04");
    assert_eq!(Request::NodeInfo(NodeNumber(2)).encode(), b"I\0\0\0\x062\0");
    assert_eq!(Request::Attach(NodeNumber(12)).encode(), b"C\0\0\0\x0712\0");
    assert_eq!(Request::Detach(NodeNumber(0)).encode(), b"D\0\0\0\x060\0");
    assert_eq!(Request::MakePrimary(NodeNumber(1)).encode(), b"J\0\0\0\x081 \0n");
    assert_eq!(Request::Goodbye.encode(), b"X\0\0\0\x04");
}

/// `h() { printf %s "$1" | md5sum | cut -c1-32; }; h "$(h "$(h secret)admin")"$'\x01\x02\x03\x04'`
#[test]
fn the_password_never_travels() {
    let packet = login("admin", "secret", &[1, 2, 3, 4]);
    assert_eq!(packet[..5], [b'R', 0, 0, 0, 43]);
    assert_eq!(fields(&packet[5..]), ["admin", "5ad3a907767508122e1584e8e092a7d5"]);
}

fn node_info(status: &str, quarantine: &str, role: &str) -> Vec<String> {
    let text = format!(
        "NodeInfo\0pg02\x005432\0{status}\0{quarantine}\0up\x00715827882.333333\0{role}\0standby\x000\x000\0\0\x001720000000\0"
    );
    fields(text.as_bytes())
}

#[test]
fn a_backend_is_read() {
    let seen = backend(&node_info("3", "0", "3")).unwrap();
    assert_eq!((seen.status, seen.quarantined, seen.role), (BackendStatus::Down, false, Role::Standby));
    assert!((seen.weight - 1.0 / 3.0).abs() < 1e-6, "{}", seen.weight);
    let seen = backend(&node_info("1", "1", "2")).unwrap();
    assert_eq!((seen.status, seen.quarantined, seen.role), (BackendStatus::Waiting, true, Role::Primary));
}

#[test]
fn a_backend_that_makes_no_sense_is_an_error() {
    for (status, quarantine, role) in [("4", "0", "3"), ("", "0", "3"), ("2", "x", "3"), ("2", "0", "")] {
        assert!(backend(&node_info(status, quarantine, role)).is_err(), "{status} {quarantine} {role}");
    }
    assert!(backend(&fields(b"CommandComplete\0")).is_err());
    assert!(backend(&[]).is_err());
}

#[test]
fn an_error_is_told_in_pgpools_words() {
    let body = b"SFATAL\0Mauthentication failed\0Dusername and/or password does not match\0\0";
    assert_eq!(error_text(body), "authentication failed (username and/or password does not match)");
    assert_eq!(error_text(b"SERROR\0Minvalid node\0\0"), "invalid node");
    assert_eq!(error_text(b"\0"), "an error without a message");
}
