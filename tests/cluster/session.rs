//! psql on the host that stays connected, as `orders_owner`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::build::OWNER_PASSWORD;

pub struct Session {
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
}

impl Session {
    /// `options`: more of psql's.
    pub fn open(address: &str, port: &str, options: &[&str]) -> Session {
        let mut child = Command::new("psql")
            .args(["-XAtq", "-h", address, "-p", port, "-U", "orders_owner", "-d", "phoenix"])
            .args(options)
            .envs([("PGPASSWORD", OWNER_PASSWORD), ("PGCONNECT_TIMEOUT", "2"), ("PGSSLMODE", "require")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("psql is on the host (docker/prepare-host --test)");
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        // Ends with psql, or when nobody listens any more: a session whose server is cut off may never hear of it.
        std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Session { child, input, lines }
    }

    /// False if psql has gone.
    pub fn say(&mut self, statement: &str) -> bool {
        writeln!(self.input, "{statement}").is_ok()
    }

    /// The next line of the answer. `Disconnected`: psql has gone.
    pub fn hear(&self, patience: Duration) -> Result<String, RecvTimeoutError> {
        self.lines.recv_timeout(patience)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
