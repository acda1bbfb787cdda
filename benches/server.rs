//! A database server from its command line to its first answer over TCP, and its end.

use std::ffi::OsStr;
use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const PORT: u16 = 5432;
const POLL: Duration = Duration::from_millis(1);
const DEADLINE: Duration = Duration::from_secs(120);
const LOG: &str = "/tmp/server.log";
/// SQLSTATE of "starting up", "shutting down" and of our waiting room.
const CANNOT_CONNECT_NOW: &[u8] = b"57P03";

pub struct Server(Child);

impl Server {
    /// Starts it and waits until it answers; how long that took since `began`.
    pub fn start<S: AsRef<OsStr>>(command: &[S], began: Instant) -> anyhow::Result<(Server, Duration)> {
        let log = File::create(LOG).context("create the server's log")?;
        let (program, args) = command.split_first().context("a command has a program")?;
        let child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("share the server's log")?)
            .stderr(log)
            .spawn()
            .context("start the server")?;
        let mut server = Server(child);
        while !answers() {
            if let Some(status) = server.0.try_wait().context("look at the server")? {
                bail!("the server ended with {status}:\n{}", read_to_string(LOG).unwrap_or_default());
            }
            if began.elapsed() > DEADLINE {
                bail!("no answer in {DEADLINE:?}:\n{}", read_to_string(LOG).unwrap_or_default());
            }
            std::thread::sleep(POLL);
        }
        Ok((server, began.elapsed()))
    }

    /// Fast shutdown.
    pub fn stop(mut self) -> anyhow::Result<()> {
        kill(Pid::from_raw(self.0.id() as i32), Signal::SIGINT).context("stop the server")?;
        let status = self.0.wait().context("wait for the server")?;
        if !status.success() {
            bail!("the server stopped with {status}:\n{}", read_to_string(LOG).unwrap_or_default());
        }
        Ok(())
    }
}

/// Whether a backend looked at its access rules for us: it asks for a password, lets us in or refuses. Costs the server the same
/// whoever made its configuration, unlike a login (TLS and SCRAM here, trust there).
fn answers() -> bool {
    let first_answer = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], PORT)), Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        stream.write_all(&start_up_packet())?;
        let mut answer = vec![0; 512];
        let length = stream.read(&mut answer)?;
        answer.truncate(length);
        Ok(answer)
    };
    match first_answer() {
        Ok(answer) => !answer.is_empty() && !answer.windows(CANNOT_CONNECT_NOW.len()).any(|part| part == CANNOT_CONNECT_NOW),
        Err(_) => false,
    }
}

/// Protocol 3.0 (protocol.sgml, "Message Formats", StartupMessage).
fn start_up_packet() -> Vec<u8> {
    let body = [&196_608_u32.to_be_bytes()[..], b"user\0postgres\0database\0postgres\0\0"].concat();
    [&(body.len() as u32 + 4).to_be_bytes()[..], &body].concat()
}

pub fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
