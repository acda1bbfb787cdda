//! What a child process says: lines, the last of them kept, each shown to whoever wants to follow.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt};

/// A line that is longer is cut into pieces of this size: a child must not fill our memory.
const LONGEST_LINE: usize = 16 * 1024;

/// Hears each line of stdout and stderr as it comes.
pub(crate) type OnLine = Box<dyn FnMut(&str) + Send>;

/// The last lines of a stream.
#[derive(Debug)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    limit: usize,
}

impl Tail {
    pub(crate) fn new(limit: usize) -> Self {
        Self { lines: VecDeque::new(), limit }
    }

    pub(crate) fn push(&mut self, line: &str) {
        if self.lines.len() == self.limit {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
    }

    pub(crate) fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines).into()
    }
}

/// A value behind a lock that is only held for a moment, and is as good after a panic as before.
pub(crate) fn with<T, R>(shared: &Arc<Mutex<T>>, work: impl FnOnce(&mut T) -> R) -> R {
    work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Calls `each` for every line until the end of the stream. Lines end with `\n` or `\r` (pg_basebackup rewrites its progress with `\r`);
/// empty lines are dropped.
pub(crate) async fn read_lines(mut stream: impl AsyncRead + Unpin, mut each: impl FnMut(&str)) {
    let mut rest: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 8 * 1024];
    // A read error is the end of the stream: the exit code tells the rest.
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        for &byte in &buffer[..count] {
            let is_end = matches!(byte, b'\n' | b'\r');
            if !is_end {
                rest.push(byte);
            }
            if is_end || rest.len() == LONGEST_LINE {
                emit(&mut rest, &mut each);
            }
        }
    }
    emit(&mut rest, &mut each);
}

fn emit(line: &mut Vec<u8>, each: &mut impl FnMut(&str)) {
    if !line.is_empty() {
        each(&String::from_utf8_lossy(line));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(text: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        read_lines(text, |line| seen.push(line.to_owned())).await;
        seen
    }

    #[tokio::test]
    async fn progress_and_lines_are_told_apart() {
        assert_eq!(lines(b"1%\r 2%\r\nstart\n\nend").await, ["1%", " 2%", "start", "end"]);
        assert_eq!(lines(b"caf\xc3\xa9 \xff\n").await, ["café \u{fffd}"]);
        assert_eq!(lines(&vec![b'x'; 3 * LONGEST_LINE]).await.len(), 3);
    }

    #[test]
    fn only_the_last_lines_stay() {
        let mut tail = Tail::new(2);
        ["a", "b", "c"].iter().for_each(|line| tail.push(line));
        assert_eq!(tail.take(), ["b", "c"]);
    }
}
