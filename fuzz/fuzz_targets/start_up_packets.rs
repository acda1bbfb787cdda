//! The waiting room's reader: whatever a stranger sends, little is read, and only a start-up packet of protocol 3 is answered.
#![no_main]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use libfuzzer_sys::fuzz_target;
use pgcluster::act::waiting_room::{Heard, hear_out};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

const ANSWER: &[u8] = b"E: the answer";
/// Three packets of at most 10000 bytes each.
const MOST_READ: usize = 3 * 10_000;

/// Says what it was given, in pieces, then hangs up.
struct Guest<'a> {
    says: &'a [u8],
    piece: usize,
    read: usize,
    heard: Vec<u8>,
}

impl AsyncRead for Guest<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let count = self.piece.min(buf.remaining()).min(self.says.len());
        let (now, later) = self.says.split_at(count);
        buf.put_slice(now);
        self.says = later;
        self.read += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guest<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.heard.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fuzz_target!(|input: &[u8]| {
    // The first byte: how it comes, in pieces of this many bytes, in TLS or not.
    let Some((how, says)) = input.split_first() else { return };
    let (piece, in_tls) = (how >> 1, how & 1 == 1);
    let mut guest = Guest { says, piece: usize::from(piece).max(1), read: 0, heard: Vec::new() };
    let (_sign, answer) = watch::channel(Arc::new(ANSWER.to_vec()));
    let to_tls = if in_tls { b'N' } else { b'S' };
    let outcome = hear_out(&mut guest, &answer, to_tls).now_or_never().expect("a guest that never waits is heard out at once");
    assert!(guest.read <= MOST_READ, "{} bytes read", guest.read);
    let (refusals, answered) = match guest.heard.strip_suffix(ANSWER) {
        Some(refusals) => (refusals, true),
        None => (&guest.heard[..], false),
    };
    assert!(refusals.len() <= 3 && refusals.iter().all(|byte| *byte == b'N' || *byte == to_tls), "said {:?}", guest.heard);
    assert!(!answered || is_start_up(says), "answered {says:?}");
    match outcome {
        Ok(Heard::TlsRequest) => assert!(!in_tls && guest.heard.ends_with(b"S")),
        Ok(Heard::Everything) => assert!(in_tls || !refusals.contains(&b'S')),
        Err(error) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "it hung up in the middle"),
    }
});

/// After at most two requests for encryption (8 bytes each, or as long as they say): a whole packet of protocol 3.
fn is_start_up(mut says: &[u8]) -> bool {
    for _ in 0..3 {
        let Some((length, rest)) = says.split_first_chunk::<4>() else { return false };
        let Some((code, _)) = rest.split_first_chunk::<4>() else { return false };
        let length = u32::from_be_bytes(*length) as usize;
        if says.len() < length {
            return false;
        }
        if u32::from_be_bytes(*code) >> 16 == 3 {
            return true;
        }
        says = &says[length..];
    }
    false
}
