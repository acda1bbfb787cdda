//! A client that writes a row every 10 ms with psql, thus libpq, in a container on the cluster's network: the longest time between two
//! acknowledged rows, and how many of them are gone afterwards.
//!
//! It is this program inside a container, asked over its stdin; names resolve there as they do for a service.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::Context;

use crate::docker::{Scope, try_docker};
use crate::inside::{FLAG, PROGRAM};
use crate::view::wait;

/// Every answer but `lost` is immediate.
const ANSWER: Duration = Duration::from_secs(60);
/// Rows in a row that say: it writes again.
const WRITES_AGAIN: f64 = 5.0;

/// How it connects; libpq's words.
pub struct Route {
    /// `through pgpool`, `libpq`.
    pub name: &'static str,
    pub conninfo: String,
    /// A writable node, to look for the rows.
    pub check: String,
    /// Seconds until a client gives up a session that says nothing.
    pub patience_s: u32,
}

pub struct Writer {
    pub route: &'static str,
    container: String,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    lost_before: f64,
}

impl Writer {
    /// It writes when this returns. `image` is one with psql, `name` that of its table too.
    pub fn start(scope: &Scope, image: &str, name: &str, route: &Route, password: &str) -> anyhow::Result<Writer> {
        let program = std::env::current_exe().context("find this program")?;
        let container = format!("{}-{name}", scope.name);
        let mut child = Command::new("docker")
            .args(["run", "-i", "--rm", "--init", "--no-healthcheck", "--cpu-shares=262144", "--name", &container])
            .args(["--label", &scope.label(), "--network", &scope.name, "--env", &format!("PGPASSWORD={password}")])
            .args(["--volume", &format!("{}:{PROGRAM}:ro", program.display()), "--entrypoint", PROGRAM, image])
            .args([FLAG, "writer", name, &route.conninfo, &route.check, &route.patience_s.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start a client")?;
        let input = child.stdin.take().context("the client has a stdin")?;
        let lines = read_lines(child.stdout.take().context("the client has a stdout")?);
        let mut writer = Writer { route: route.name, container, child, input, lines, lost_before: 0.0 };
        writer.wait_for_writes()?;
        Ok(writer)
    }

    fn ask(&mut self, question: &str) -> anyhow::Result<f64> {
        writeln!(self.input, "{question}").context("ask the client")?;
        let answer = self.lines.recv_timeout(ANSWER).with_context(|| format!("ask the client for {question}"))?;
        answer.parse().with_context(|| format!("the client answers {answer:?}"))
    }

    /// Gaps count from here.
    pub fn mark(&mut self) -> anyhow::Result<()> {
        self.ask("mark").map(drop)
    }

    /// Longest since the mark, ms.
    pub fn gap_ms(&mut self) -> anyhow::Result<f64> {
        self.ask("gap")
    }

    pub fn acknowledged(&mut self) -> anyhow::Result<f64> {
        self.ask("count")
    }

    pub fn wait_for_first_write(&mut self) -> anyhow::Result<()> {
        self.wait_for_rows(1.0)
    }

    /// Until it writes as before.
    pub fn wait_for_writes(&mut self) -> anyhow::Result<()> {
        self.wait_for_rows(WRITES_AGAIN)
    }

    fn wait_for_rows(&mut self, rows: f64) -> anyhow::Result<()> {
        let enough = self.acknowledged()? + rows;
        let what = format!("a write {}", self.route);
        wait(&what, || self.acknowledged().is_ok_and(|now| now >= enough).then_some(())).map(drop)
    }

    /// Acknowledged rows that are not there any more, and were there when this was asked before.
    pub fn newly_lost(&mut self) -> anyhow::Result<f64> {
        let lost = self.ask("lost")?;
        Ok(lost - std::mem::replace(&mut self.lost_before, lost))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = try_docker(&["rm", "-fv", &self.container]);
        let _ = self.child.wait();
    }
}

/// On a thread of its own, which ends with the program that writes them.
pub fn read_lines(output: ChildStdout) -> Receiver<String> {
    let (sender, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
