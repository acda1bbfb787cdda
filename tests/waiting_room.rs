//! The waiting room as PostgreSQL's own clients and the rest of the world see it.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pgcluster::act::tls::acceptor;
use pgcluster::act::waiting_room::WaitingRoom;
use pgcluster::link::trust::mistrust;
use pgcluster::link::{Address, Trust};
use pgcluster::model::{Reach, RoomState};
use pgcluster::observe::environment::postgres_spec;
use pgcluster::observe::peer::ask;
use pgcluster::spec::{Snapshot, TlsFiles};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// Descriptors that the tests beside this one may have open.
const OTHERS: usize = 150;
/// Connections that the room holds at once.
const MOST_INSIDE: usize = 64;
/// A thousand clients take a thousand ports of this host, and one test wants a port back that it had.
static PORTS: Mutex<()> = Mutex::const_new(());
/// For what takes two seconds on a machine that has time.
const PATIENCE: Duration = Duration::from_secs(60);

async fn cloning() -> WaitingRoom {
    let room = WaitingRoom::open("pg02", 0, acceptor(None, "pg02").unwrap()).await.unwrap();
    room.set(&RoomState { state: "cloning".into(), detail: json!({"percent": 43}) });
    room
}

async fn client(program: &str, args: &[&str]) -> (Option<i32>, String) {
    let output = tokio::process::Command::new(program).args(args).env("PGCONNECT_TIMEOUT", "3").output().await.unwrap();
    (output.status.code(), format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// Sends, and reads until the room closes.
async fn knock(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.write_all(bytes).await;
    let _ = stream.read_to_end(&mut answer).await;
    answer
}

fn startup(protocol: u32) -> Vec<u8> {
    let body = b"user\0postgres\0\0";
    [&(8 + body.len() as u32).to_be_bytes()[..], &protocol.to_be_bytes(), body].concat()
}

#[tokio::test]
async fn psql_and_pg_isready_understand() {
    let room = cloning().await;
    let port = room.port().to_string();
    for host in ["127.0.0.1", "::1"] {
        for mode in ["disable", "prefer", "require"] {
            let (code, said) =
                client("psql", &["-X", &format!("host={host} port={port} user=postgres sslmode={mode}"), "-c", "select 1"]).await;
            assert_eq!(code, Some(2));
            let expected = "FATAL:  pgcluster: pg02 is cloning\nDETAIL:  {\"percent\":43}";
            assert!(said.contains(expected), "{host} {mode}: {said}");
        }
        let (code, said) = client("pg_isready", &["-h", host, "-p", &port]).await;
        assert_eq!((code, said.contains("rejecting connections")), (Some(1), true), "{said}");
    }
}

#[tokio::test]
async fn a_peer_reads_the_state_back() {
    let room = cloning().await;
    let config = format!("host=127.0.0.1 port={} user=repmgr", room.port());
    let err = tokio_postgres::connect(&config, tokio_postgres::NoTls).await.err().unwrap();
    let err = err.as_db_error().unwrap();
    assert_eq!(err.code(), &tokio_postgres::error::SqlState::CANNOT_CONNECT_NOW);
    let state = RoomState::parse(err.message(), err.detail()).unwrap();
    assert_eq!(state, RoomState { state: "cloning".into(), detail: json!({"percent": 43}) });

    room.sign().set(&RoomState { state: "waiting".into(), detail: json!({"for": "x".repeat(40_000)}) });
    let err = tokio_postgres::connect(&config, tokio_postgres::NoTls).await.err().unwrap();
    let err = err.as_db_error().unwrap();
    assert_eq!(RoomState::parse(err.message(), err.detail()).unwrap().detail, json!({"truncated": true}));
}

/// It presents the operator's certificate; who verifies hears the state from it, or why nothing was heard.
#[tokio::test]
async fn its_certificate_is_verified_by_those_who_have_an_authority() {
    let dir = tempfile::tempdir().unwrap();
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let ca = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate().unwrap()).unwrap();
        std::fs::write(dir.path().join(name), ca.pem()).unwrap();
        ca
    };
    let (ours, _theirs) = (authority("ours"), authority("theirs"));
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["localhost".into()]).unwrap().signed_by(&key, &ours).unwrap();
    let tls = TlsFiles { cert: dir.path().join("crt"), key: dir.path().join("key"), ca: None };
    std::fs::write(&tls.cert, own.pem()).unwrap();
    std::fs::write(&tls.key, key.serialize_pem()).unwrap();
    let room = WaitingRoom::open("pg02", 0, acceptor(Some(&tls), "pg02").unwrap()).await.unwrap();
    room.set(&RoomState::working("cloning"));

    let connect = async |host: &str, trust: Trust| {
        let (host, port, user) = (host.into(), room.port(), "repmgr".into());
        Address::Tcp { host, port, user, password: None, other: None, trust }.connect("repmgr").await.err().unwrap()
    };
    let signed_by = |name: &str| Trust::Authority(dir.path().join(name));
    for trust in [signed_by("ours"), Trust::ChannelBinding] {
        let error = connect("localhost", trust).await;
        assert_eq!((error.as_db_error().unwrap().message(), mistrust(&error)), ("pgcluster: pg02 is cloning", None));
    }
    let reason = mistrust(&connect("localhost", signed_by("theirs")).await).unwrap();
    assert!(reason.contains("was signed by CN=ours, which is not in "), "{reason}");
    let reason = mistrust(&connect("127.0.0.1", signed_by("ours")).await).unwrap();
    assert!(reason.ends_with("is for localhost, not for 127.0.0.1"), "{reason}");
    let reason = mistrust(&connect("localhost", signed_by("nowhere")).await).unwrap();
    assert!(reason.contains("/nowhere cannot be read: "), "{reason}");
    // As a look at the cluster has it; and who speaks no TLS could be anybody.
    let look = async |port: u16, authority: &str| {
        let path = |name: &str| dir.path().join(name).display().to_string();
        let vars = [
            ("PG_BACKEND_NODE_LIST", format!("0:localhost:{port},1:pg02")),
            ("NODE_NAME", "pg02".into()),
            ("REPMGRPWD", "rep123".into()),
            ("TLS_CERT_FILE", path("crt")),
            ("TLS_KEY_FILE", path("key")),
            ("TLS_CA_FILE", path(authority)),
        ];
        let vars = vars.map(|(name, value)| (name.to_owned(), value)).into();
        let spec = postgres_spec(&Snapshot { vars, ..Snapshot::default() }).unwrap();
        // On a busy machine the second of a look may pass.
        for _ in 0..20 {
            match ask(&spec.cluster, &spec.cluster.nodes[0]).await {
                Reach::Silent { .. } => {}
                heard => return heard,
            }
        }
        panic!("no answer from port {port}");
    };
    assert!(matches!(look(room.port(), "ours").await, Reach::Waiting(_)));
    assert!(matches!(look(room.port(), "theirs").await, Reach::Untrusted { reason } if reason.contains("signed by CN=ours")));
    let plain = tokio::net::TcpListener::bind(("localhost", 0)).await.unwrap();
    let port = plain.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ = stream.read_exact(&mut [0; 8]).await;
            let _ = stream.write_all(b"N").await;
        }
    });
    assert!(matches!(look(port, "ours").await, Reach::Untrusted { reason } if reason.starts_with("it offers no TLS")));
    // The oracle: libpq.
    for (authority, heard) in [("ours", "pgcluster: pg02 is cloning"), ("theirs", "certificate verify failed")] {
        let root = dir.path().join(authority).display().to_string();
        let conninfo = format!("host=localhost port={} user=postgres sslmode=verify-full sslrootcert={root}", room.port());
        let (_, said) = client("psql", &["-X", &conninfo, "-c", "select 1"]).await;
        assert!(said.contains(heard), "{authority}: {said}");
    }
}

#[tokio::test]
async fn garbage_is_closed_without_a_word_and_every_version_3_is_answered() {
    let room = cloning().await;
    let port = room.port();
    let ssl = [&8u32.to_be_bytes()[..], &80_877_103u32.to_be_bytes()].concat();
    let cancel = [&16u32.to_be_bytes()[..], &80_877_102u32.to_be_bytes(), &[0; 8]].concat();
    for silent in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0; 400],
        &[0xff; 400],
        b"\x16\x03\x01\x02\x00",
        &cancel,
        &startup(0x2_0000),
        &[0, 0, 0, 7, 0, 0, 0],
    ] {
        assert!(knock(port, silent).await.is_empty(), "{silent:?}");
    }
    let gss = [&8u32.to_be_bytes()[..], &80_877_104u32.to_be_bytes()].concat();
    assert_eq!(knock(port, &gss.repeat(10)).await, b"NNN");
    assert!(knock(port, &[ssl, startup(0x3_0000)].concat()).await.starts_with(b"S"), "no answer in clear after S");
    for version in [0x3_0000, 0x3_0002, 0x3_270f] {
        assert!(knock(port, &[gss.clone(), startup(version)].concat()).await.starts_with(b"NE"), "{version:x}");
    }
}

#[tokio::test]
async fn half_packets_end_after_two_seconds() {
    let room = cloning().await;
    for half in [&b""[..], &[0, 0], &startup(0x3_0000)[..12]] {
        let start = Instant::now();
        assert!(knock(room.port(), half).await.is_empty());
        assert!(start.elapsed() >= Duration::from_millis(1900) && start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    }
}

#[tokio::test]
async fn a_thousand_bad_guests_neither_leak_nor_lock_out() {
    let _alone = PORTS.lock().await;
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let room = cloning().await;
    let (descriptors_before, kilobytes_before) = (descriptors(), resident_kilobytes());
    let mut guests = Vec::new();
    for number in 0..1000 {
        let mut guest = TcpStream::connect(("127.0.0.1", room.port())).await.unwrap();
        // Nothing, half a packet, garbage, the longest packet less its last byte, the beginning of TLS.
        let longest = [&10_000_u32.to_be_bytes()[..], &0x3_0000_u32.to_be_bytes(), &[1; 9_991]].concat();
        let says: [&[u8]; 5] =
            [b"", &startup(0x3_0000)[..12], &[0xff; 4_000], &longest, b"\x00\x00\x00\x08\x04\xd2\x16\x2f\x16\x03"];
        // Whoever comes when it is full is closed at once, and cannot say anything.
        let _ = guest.write_all(says[number % says.len()]).await;
        guests.push(guest);
        let now = descriptors();
        assert!(now <= descriptors_before + guests.len() + MOST_INSIDE + OTHERS, "{now} descriptors at guest {number}");
    }
    let grown = resident_kilobytes().saturating_sub(kilobytes_before);
    assert!(grown < 64 * 1024, "{grown} kB for a thousand guests");
    // While all of them still hold their end: places get free, because nobody stays for long.
    let answered = async {
        while !knock(room.port(), &startup(0x3_0000)).await.starts_with(b"E") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.expect("an honest guest is answered");
    drop(guests);
    let closed = async {
        while descriptors() > descriptors_before + OTHERS {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, closed).await.expect("every connection is closed");
}

#[tokio::test]
async fn who_comes_when_it_is_full_is_closed_and_not_queued() {
    let room = cloning().await;
    let mut guests = Vec::new();
    for _ in 0..MOST_INSIDE + 8 {
        guests.push(TcpStream::connect(("127.0.0.1", room.port())).await.unwrap());
    }
    // Queued, it would be answered as soon as a place is free.
    assert!(knock(room.port(), &startup(0x3_0000)).await.is_empty());
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn the_port_is_free_when_close_returns() {
    let _alone = PORTS.lock().await;
    let mut port = 0;
    for _ in 0..50 {
        let room = WaitingRoom::open("pg02", port, acceptor(None, "pg02").unwrap()).await.unwrap();
        port = room.port();
        // One guest inside, one served: neither may hold the port.
        let _inside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        assert!(knock(port, &startup(0x3_0000)).await.starts_with(b"E"));
        room.close().await;
        let server = std::net::TcpListener::bind(("0.0.0.0", port)).unwrap();
        let err = format!("{:#}", WaitingRoom::open("pg02", port, acceptor(None, "pg02").unwrap()).await.unwrap_err());
        assert!(err.contains(&format!("listen on port {port}")) && err.contains("in use"), "{err}");
        drop(server);
    }
}
