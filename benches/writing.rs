//! The inner half of the client that writes: psql sessions, one after another, in the container.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::server::ms;
use crate::writer::read_lines;

const PAUSE: Duration = Duration::from_millis(10);
/// For a look at the rows, which may come while the cluster repairs itself.
const LOOK: Duration = Duration::from_secs(40);

struct Seen {
    acknowledged: BTreeSet<u64>,
    last: Instant,
    longest: Duration,
}

/// Writes until its stdin ends; answers what is asked there.
pub fn inside(args: &[String]) -> anyhow::Result<()> {
    let [table, conninfo, check, patience_s] = args else { bail!("a writer takes a table, two conninfos and its patience") };
    let patience = Duration::from_secs(patience_s.parse().context("read the client's patience")?);
    while psql(check, &format!("CREATE TABLE IF NOT EXISTS {table} (id bigint PRIMARY KEY)")).is_err() {
        std::thread::sleep(PAUSE);
    }
    let seen = Arc::new(Mutex::new(Seen { acknowledged: BTreeSet::new(), last: Instant::now(), longest: Duration::ZERO }));
    std::thread::spawn({
        let (seen, table, conninfo) = (seen.clone(), table.clone(), conninfo.clone());
        move || write_for_ever(&seen, &table, &conninfo, patience)
    });
    for question in std::io::stdin().lines() {
        let answer = match question.context("read a question")?.as_str() {
            "lost" => lost(&seen, table, check)?,
            question => answer(&seen, question)?,
        };
        println!("{answer}");
    }
    Ok(())
}

fn answer(seen: &Mutex<Seen>, question: &str) -> anyhow::Result<f64> {
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    match question {
        "mark" => {
            seen.longest = Duration::ZERO;
            Ok(0.0)
        }
        "gap" => Ok(ms(seen.longest)),
        "count" => Ok(seen.acknowledged.len() as f64),
        other => bail!("not a question: {other}"),
    }
}

/// What was acknowledged before the question and is not found after it.
fn lost(seen: &Mutex<Seen>, table: &str, check: &str) -> anyhow::Result<f64> {
    let acknowledged = seen.lock().unwrap_or_else(PoisonError::into_inner).acknowledged.clone();
    let began = Instant::now();
    let kept = loop {
        match psql(check, &format!("SELECT id FROM {table}")) {
            Ok(kept) => break kept,
            Err(error) if began.elapsed() > LOOK => return Err(error),
            Err(_) => std::thread::sleep(PAUSE),
        }
    };
    let kept: BTreeSet<u64> = kept.lines().filter_map(|id| id.parse().ok()).collect();
    Ok(acknowledged.difference(&kept).count() as f64)
}

/// A row whose session broke is neither acknowledged nor lost: its id is not used again.
fn write_for_ever(seen: &Mutex<Seen>, table: &str, conninfo: &str, patience: Duration) {
    let mut session = Session::open(conninfo);
    for id in 1.. {
        match session.as_mut().is_ok_and(|session| session.write(table, id, patience)) {
            true => {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                let gap = seen.last.elapsed();
                seen.longest = seen.longest.max(gap);
                seen.last = Instant::now();
                seen.acknowledged.insert(id);
            }
            false => {
                drop(session);
                session = Session::open(conninfo);
            }
        }
        std::thread::sleep(PAUSE);
    }
}

struct Session {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Session {
    fn open(conninfo: &str) -> anyhow::Result<Session> {
        let mut child = Command::new("psql")
            .args(["-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", conninfo])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("start psql")?;
        let (input, output) = (child.stdin.take().context("stdin")?, child.stdout.take().context("stdout")?);
        Ok(Session { child, input, lines: read_lines(output) })
    }

    /// True if the server said that the row is committed.
    fn write(&mut self, table: &str, id: u64, patience: Duration) -> bool {
        writeln!(self.input, "INSERT INTO {table} VALUES ({id}) RETURNING id;").is_ok()
            && self.lines.recv_timeout(patience).is_ok_and(|line| line.trim() == id.to_string())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn psql(conninfo: &str, statement: &str) -> anyhow::Result<String> {
    let psql = Command::new("psql").args(["-XAtqw", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-c", statement]).output();
    let output = psql.context("run psql")?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => bail!("psql: {}", String::from_utf8_lossy(&output.stderr)),
    }
}
