//! A server that only we can reach: no TCP, a private socket directory, for work that needs SQL before the real start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use nix::sys::signal::Signal;

use crate::act::command::Command;
use crate::act::file::{self, Durability};
use crate::act::running::Running;
use crate::act::workplace::{RUN_DIR, Workplace};
use crate::link::Address;
use crate::render::RenderedFile;

const START_DEADLINE: Duration = Duration::from_secs(600);
const STOP_DEADLINE: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(5);

pub struct TemporaryServer {
    running: Running,
    address: Address,
}

/// Whether a crash of the machine may lose what is done here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// A staging directory: it is synced as a whole before anybody relies on it.
    Disposable,
    Durable,
}

/// Who may knock at the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// A directory only we can enter.
    Private,
    /// The usual one, where the scripts of `/docker-entrypoint-initdb.d` expect the server.
    Usual,
}

impl TemporaryServer {
    /// Starts postgres on `data_dir` and waits until it answers.
    pub async fn start(work: &Workplace<'_>, data_dir: &Path, safety: Safety, socket: Socket) -> anyhow::Result<TemporaryServer> {
        let dir = socket_dir(socket)?;
        let hba = Path::new(RUN_DIR).join("temporary_hba.conf");
        file::write_all(
            &[RenderedFile { path: hba.clone(), mode: 0o600, body: "local all all trust\n".into() }],
            Durability::Rebuilt,
        )?;
        let mut settings = vec![
            "listen_addresses=".to_string(),
            format!("unix_socket_directories={}", dir.display()),
            "unix_socket_permissions=0700".into(),
            format!("hba_file={}", hba.display()),
            "synchronous_standby_names=".into(),
            "archive_mode=off".into(),
            "max_wal_senders=0".into(),
            "default_transaction_read_only=off".into(),
            "autovacuum=off".into(),
            "log_statement=none".into(),
        ];
        if safety == Safety::Disposable {
            settings
                .extend(["fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal"].map(String::from));
        }
        let command = Command::new(&work.tools.postgres)
            .args(["-D".as_ref(), data_dir.as_os_str()])
            .args(settings.into_iter().flat_map(|setting| ["-c".to_string(), setting]))
            .on_line(|line| tracing::debug!("temporary server: {line}"));
        let port = work.spec.node().port;
        let address = Address::Socket { dir, port, user: work.spec.superuser.name.clone() };
        let mut server = TemporaryServer { running: command.start()?, address };
        server.wait_until_ready(work).await?;
        Ok(server)
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    async fn wait_until_ready(&mut self, work: &Workplace<'_>) -> anyhow::Result<()> {
        let Address::Socket { dir, port, .. } = &self.address else { unreachable!("a temporary server has a socket") };
        let socket = dir.join(format!(".s.PGSQL.{port}"));
        let ready = async {
            loop {
                if socket.exists() && self.address.connect("postgres").await.is_ok() {
                    return;
                }
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            () = ready => Ok(()),
            signal = work.stop.stopped() => bail!("stopped by {signal} while the temporary server started"),
            status = self.running.ended() => bail!("the temporary server ended at once: {}", status.context("wait for it")?),
            () = tokio::time::sleep(START_DEADLINE) => bail!("the temporary server did not answer in {} s", START_DEADLINE.as_secs()),
        }
    }

    /// Fast shutdown: everything is checkpointed when this returns.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.running.stop(Signal::SIGINT, STOP_DEADLINE).await.context("stop the temporary server")?;
        Ok(())
    }
}

fn socket_dir(socket: Socket) -> anyhow::Result<PathBuf> {
    match socket {
        Socket::Usual => Ok(PathBuf::from("/run/postgresql")),
        Socket::Private => {
            let dir = Path::new(RUN_DIR).join("private");
            std::os::unix::fs::DirBuilderExt::mode(std::fs::DirBuilder::new().recursive(true), 0o700)
                .create(&dir)
                .with_context(|| format!("create {}", dir.display()))?;
            Ok(dir)
        }
    }
}
