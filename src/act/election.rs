//! The election that the tripwire of this container holds, for pgpool's failover command, which begins later: it waits for its end, and is
//! told how that was, instead of asking the same questions beside it.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::act::lock::try_lock;
use crate::model::NodeNumber;
use crate::observe::processes::now_s;

/// Locked by whoever holds the election; in it, how the last one ended.
const FILE: &str = "/run/pgcluster/election";
const POLL: Duration = Duration::from_millis(3);
/// In seconds. pgpool's main process may sit in a sleep of one second before it starts the command.
const NEWS_FOR: u64 = 2;

/// Held until it is dropped, or its process dies.
pub struct Election(File);

impl Election {
    /// None if another process holds one.
    pub fn begin() -> Option<Election> {
        try_lock(Path::new(FILE)).ok()?.map(Election)
    }

    /// `primary` is primary now, instead of `was`.
    pub fn end(mut self, was: NodeNumber, primary: NodeNumber) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.write_all(format!("{} {was} {primary}", now_s()).as_bytes())
    }
}

/// Who is primary instead of `was` by an election that ended just now, or ends before `deadline`. None: nobody knows.
pub async fn wait_for(was: NodeNumber, deadline: Duration) -> Option<NodeNumber> {
    let mut file = File::open(FILE).ok()?;
    let began = Instant::now();
    loop {
        match file.try_lock_shared() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if began.elapsed() < deadline => tokio::time::sleep(POLL).await,
            Err(_) => return None,
        }
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    outcome(&text, was, now_s())
}

fn outcome(text: &str, was: NodeNumber, now: u64) -> Option<NodeNumber> {
    let mut words = text.split(' ').map(str::parse::<u64>);
    let (at, of, primary) = (words.next()?.ok()?, words.next()?.ok()?, words.next()?.ok()?);
    (of == u64::from(was.0) && now <= at + NEWS_FOR).then_some(NodeNumber(primary as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_of_that_node_counts() {
        let told = |text, now| outcome(text, NodeNumber(0), now).map(|number| number.0);
        assert_eq!(told("100 0 2", 100), Some(2));
        assert_eq!(told("100 0 2", 102), Some(2));
        assert_eq!(told("100 0 2", 103), None);
        assert_eq!(told("100 1 2", 100), None);
        assert_eq!(told("", 0), None);
    }
}
