//! Port 5432 while there is no server yet: whoever knocks is told what this node is doing.
//!
//! Answers PostgreSQL start-up packets (protocol.sgml, "Message Formats") with an ErrorResponse and nothing else, and never reads more
//! than a start-up packet from anybody. Speaks TLS, because libpq tries no other host when one offers none and `sslmode=require` asks
//! for it. Bounded in connections, bytes and time, because port scanners come here too.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::future::select_all;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::model::{CANNOT_CONNECT_NOW, RoomState};

const MOST_CONNECTIONS: usize = 64;
const CONNECTION_TIME: Duration = Duration::from_secs(2);
/// MAX_STARTUP_PACKET_LENGTH of PostgreSQL (src/include/libpq/pqcomm.h).
const LONGEST_PACKET: usize = 10_000;
/// An encryption request of either kind, then the start-up packet.
const MOST_PACKETS: usize = 3;
/// libpq gives up on an error longer than 30000 bytes (MAX_ERRLEN in fe-connect.c).
const LONGEST_TEXT: usize = 8_000;
/// After a failed accept (EMFILE: out of descriptors), instead of a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const BACKLOG: u32 = 128;

const CANCEL_REQUEST: u32 = 80_877_102;
const SSL_REQUEST: u32 = 80_877_103;
const GSSENC_REQUEST: u32 = 80_877_104;
/// The upper half of the version number in a start-up packet.
const PROTOCOL_MAJOR: u32 = 3;

type Answer = Arc<Vec<u8>>;

/// The open port. Dropping it closes it soon; `close` closes it before it returns.
#[derive(Debug)]
pub struct WaitingRoom {
    sign: Sign,
    door: JoinHandle<()>,
    port: u16,
}

/// What the waiting room says; clones write on the same sign.
#[derive(Clone, Debug)]
pub struct Sign {
    node: Arc<str>,
    answer: watch::Sender<Answer>,
}

impl Sign {
    /// Changes the text for everybody who comes from now on.
    pub fn set(&self, state: &RoomState) {
        self.answer.send_replace(Arc::new(error_response(&self.node, state)));
    }
}

impl WaitingRoom {
    /// Listens on all addresses, IPv4 and IPv6 where there is one; says `waiting` until told otherwise. Port 0 takes a free one.
    pub async fn open(name: &str, port: u16, tls: TlsAcceptor) -> Result<Self> {
        let listeners =
            listen(port).with_context(|| format!("listen on port {port}: is a server already running in this container?"))?;
        let port = listeners.first().context("no address to listen on")?.local_addr()?.port();
        let state = RoomState { state: "waiting".into(), detail: serde_json::Value::Null };
        let sign = Sign { node: name.into(), answer: watch::Sender::new(Arc::new(error_response(name, &state))) };
        let door = tokio::spawn(keep_door(listeners, sign.answer.subscribe(), tls));
        Ok(Self { sign, door, port })
    }

    /// Changes the text for everybody who comes from now on.
    pub fn set(&self, state: &RoomState) {
        self.sign.set(state);
    }

    /// A handle to change the text from elsewhere, such as a command's line callback.
    pub fn sign(&self) -> Sign {
        self.sign.clone()
    }

    /// The port that is open.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Frees the port: when this returns the server can bind it.
    pub async fn close(mut self) {
        self.door.abort();
        // Cancelled, as asked: its listeners and connections are dropped with it.
        let _ = (&mut self.door).await;
    }
}

impl Drop for WaitingRoom {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// `[::]` takes IPv4 as well, unless net.ipv6.bindv6only says no or there is no IPv6: then `0.0.0.0` needs a listener of its own. That
/// it is in use, once `[::]` listens, means that `[::]` covers it.
fn listen(port: u16) -> io::Result<Vec<TcpListener>> {
    let is_absent = |err: &io::Error| {
        matches!(err.raw_os_error(), Some(nix::libc::EAFNOSUPPORT | nix::libc::EADDRNOTAVAIL | nix::libc::EPROTONOSUPPORT))
    };
    let six = match listen_on((Ipv6Addr::UNSPECIFIED, port).into()) {
        Err(err) if !is_absent(&err) => return Err(err),
        other => other.ok(),
    };
    let port = six.as_ref().map_or(Ok(port), |listener| listener.local_addr().map(|addr| addr.port()))?;
    match listen_on((Ipv4Addr::UNSPECIFIED, port).into()) {
        Ok(four) => Ok(six.into_iter().chain([four]).collect()),
        Err(err) => six.map(|six| vec![six]).ok_or(err),
    }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    // The restarted container must not wait for TIME_WAIT; accepted sockets inherit it, so the server can bind beside them.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn keep_door(listeners: Vec<TcpListener>, answer: watch::Receiver<Answer>, tls: TlsAcceptor) {
    let mut guests = JoinSet::new();
    loop {
        let (accepted, _, _) = select_all(listeners.iter().map(|listener| Box::pin(listener.accept()))).await;
        while guests.try_join_next().is_some() {}
        match accepted {
            // Full: this one is closed at once, and libpq reports that the server closed the connection.
            Ok((stream, _)) if guests.len() >= MOST_CONNECTIONS => drop(stream),
            Ok((stream, _)) => {
                let (answer, tls) = (answer.clone(), tls.clone());
                guests.spawn(async move { timeout(CONNECTION_TIME, receive(stream, &answer, &tls)).await });
            }
            Err(err) => {
                tracing::warn!("accept a connection in the waiting room: {err}");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// One guest. Errors are theirs: they went away, or never spoke our language.
async fn receive(mut stream: TcpStream, answer: &watch::Receiver<Answer>, tls: &TlsAcceptor) -> io::Result<()> {
    match hear_out(&mut stream, answer, b'S').await? {
        Heard::Everything => Ok(()),
        Heard::TlsRequest => hear_out(&mut tls.accept(stream).await?, answer, b'N').await.map(drop),
    }
}

/// What a guest wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It was answered, or said nothing that deserves an answer.
    Everything,
    /// It was told `S` and goes on in TLS.
    TlsRequest,
}

/// Reads start-up packets from anybody, in TLS or not. `to_tls`: the answer to a request for TLS, `S` or `N`.
pub async fn hear_out(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    answer: &watch::Receiver<Answer>,
    to_tls: u8,
) -> io::Result<Heard> {
    for _ in 0..MOST_PACKETS {
        let length = stream.read_u32().await? as usize;
        if !(8..=LONGEST_PACKET).contains(&length) {
            return Ok(Heard::Everything);
        }
        let code = stream.read_u32().await?;
        stream.read_exact(&mut vec![0; length - 8]).await?;
        match code {
            SSL_REQUEST => {
                stream.write_all(&[to_tls]).await?;
                if to_tls == b'S' {
                    return Ok(Heard::TlsRequest);
                }
            }
            GSSENC_REQUEST => stream.write_all(b"N").await?,
            CANCEL_REQUEST => return Ok(Heard::Everything),
            version if version >> 16 == PROTOCOL_MAJOR => {
                let text = answer.borrow().clone();
                stream.write_all(&text).await?;
                stream.shutdown().await?;
                return Ok(Heard::Everything);
            }
            _ => return Ok(Heard::Everything),
        }
    }
    Ok(Heard::Everything)
}

/// The ErrorResponse: 'E', length, fields of a letter and a NUL-terminated text each, NUL. S is localized by servers, V never.
fn error_response(node: &str, state: &RoomState) -> Vec<u8> {
    let mut detail = state.detail_line();
    if detail.len() > LONGEST_TEXT {
        detail = r#"{"truncated":true}"#.to_owned();
    }
    let message: String = state.message(node).chars().filter(|c| *c != '\0').take(LONGEST_TEXT / 4).collect();
    let mut fields = Vec::new();
    for (kind, text) in [(b'S', "FATAL"), (b'V', "FATAL"), (b'C', CANNOT_CONNECT_NOW), (b'M', &message), (b'D', &detail)] {
        fields.push(kind);
        fields.extend_from_slice(text.as_bytes());
        fields.push(0);
    }
    fields.push(0);
    let length = u32::try_from(fields.len() + 4).expect("texts are shorter than LONGEST_TEXT");
    [b"E", &length.to_be_bytes()[..], &fields].concat()
}
