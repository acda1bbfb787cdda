//! A client of PCP, pgpool's administration protocol: the HEALTHCHECK is one process, so it cannot run the `pcp_*` programs.
//!
//! Only inside pgpool's own container: the protocol has neither TLS nor a decent hash. Every call has one deadline.

pub mod packet;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use packet::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

use crate::model::{Backend, NodeNumber};
use crate::spec::{PgpoolSpec, Secret};

/// Around one call. Node info makes pgpool ping that backend, with its own `connect_timeout` of 3 s: ask for living ones first.
pub const DEADLINE: Duration = Duration::from_millis(1000);

pub const SOCKET: &str = "/run/pgpool/.s.PGSQL.9898";
const TCP: (&str, u16) = ("127.0.0.1", 9898);
/// The longest answers are a few hundred bytes.
const LONGEST: usize = 64 * 1024;

trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

/// One authenticated session; pgpool forks a process for it.
pub struct Pcp {
    wire: Box<dyn Wire>,
}

impl Pcp {
    /// Connects and logs in to the pgpool of this container.
    pub async fn connect(spec: &PgpoolSpec) -> anyhow::Result<Pcp> {
        Pcp::connect_at(Path::new(SOCKET), &spec.pcp_user, &spec.pcp_password).await
    }

    /// The same, by another socket.
    pub async fn connect_at(socket: &Path, user: &str, password: &Secret) -> anyhow::Result<Pcp> {
        let log_in = async {
            let mut pcp = Pcp { wire: open(socket).await? };
            let salt = pcp.ask_once(Request::Salt).await?;
            ensure!(salt.len() == 4, "read pgpool's salt: {} bytes instead of 4", salt.len());
            pcp.wire.write_all(&packet::login(user, password.expose(), &salt)).await?;
            let said = packet::fields(&pcp.read(b'r').await?);
            ensure!(said.first().is_some_and(|word| word == "AuthenticationOK"), "pgpool did not accept the login: {said:?}");
            anyhow::Ok(pcp)
        };
        in_time(log_in).await.with_context(|| format!("log in to pgpool's PCP as {user}"))
    }

    pub async fn node_count(&mut self) -> anyhow::Result<u32> {
        let body = in_time(self.ask_once(Request::NodeCount)).await.context("ask pgpool for the number of backends")?;
        let fields = packet::fields(&body);
        ensure!(
            fields.first().is_some_and(|word| word == packet::DONE),
            "pgpool said {fields:?} instead of a number of backends"
        );
        fields.get(1).and_then(|text| text.parse().ok()).with_context(|| format!("read the number of backends in {fields:?}"))
    }

    /// What pgpool believes of one backend.
    pub async fn node_info(&mut self, number: NodeNumber) -> anyhow::Result<Backend> {
        let ask = async {
            let request = Request::NodeInfo(number);
            let mut found = None;
            let mut body = self.ask_once(request).await?;
            loop {
                let fields = packet::fields(&body);
                match fields.first().map(String::as_str) {
                    Some("ArraySize") => {}
                    Some(packet::DONE) => return found.context("there was no backend in the answer"),
                    _ => found = Some(packet::backend(&fields)?),
                }
                body = self.read(request.answer()).await?;
            }
        };
        in_time(ask).await.with_context(|| format!("ask pgpool about backend {number}"))
    }

    /// Asks pgpool to use a backend again. It returns when the request is in pgpool's queue; pgpool then looks for the primary.
    pub async fn attach(&mut self, number: NodeNumber) -> anyhow::Result<()> {
        self.order(Request::Attach(number)).await.with_context(|| format!("attach backend {number}"))
    }

    /// Asks pgpool to give a backend up. pgpool runs its failover command; where that was its primary, it looks for another one.
    pub async fn detach(&mut self, number: NodeNumber) -> anyhow::Result<()> {
        self.order(Request::Detach(number)).await.with_context(|| format!("detach backend {number}"))
    }

    /// Tells pgpool that this backend, which it must have up, is the primary. Changes its opinion and nothing else; all its
    /// clients must connect again.
    pub async fn make_primary(&mut self, number: NodeNumber) -> anyhow::Result<()> {
        self.order(Request::MakePrimary(number))
            .await
            .with_context(|| format!("tell pgpool that backend {number} is the primary"))
    }

    /// Says goodbye; pgpool logs an error about a client that just goes.
    pub async fn close(mut self) {
        let _ = in_time(async { Ok(self.wire.write_all(&Request::Goodbye.encode()).await?) }).await;
    }

    async fn order(&mut self, request: Request) -> anyhow::Result<()> {
        let body = in_time(self.ask_once(request)).await?;
        let fields = packet::fields(&body);
        ensure!(fields.first().is_some_and(|word| word == packet::DONE), "pgpool said {fields:?}");
        Ok(())
    }

    async fn ask_once(&mut self, request: Request) -> anyhow::Result<Vec<u8>> {
        self.wire.write_all(&request.encode()).await?;
        self.read(request.answer()).await
    }

    /// The body of the next packet of this kind; an error packet is an error, notices are skipped.
    async fn read(&mut self, kind: u8) -> anyhow::Result<Vec<u8>> {
        loop {
            let got = self.wire.read_u8().await?;
            let length = self.wire.read_u32().await? as usize;
            ensure!((4..=LONGEST).contains(&length), "pgpool sent a packet of {length} bytes");
            let mut body = vec![0; length - 4];
            self.wire.read_exact(&mut body).await?;
            match got {
                b'E' => bail!("{}", packet::error_text(&body)),
                b'N' => {}
                _ if got == kind => return Ok(body),
                _ => bail!("pgpool sent a packet {:?} instead of {:?}", char::from(got), char::from(kind)),
            }
        }
    }
}

/// Whether a pgpool has begun here: before that, the entrypoint is still at work.
pub fn is_there() -> bool {
    Path::new(SOCKET).exists()
}

/// The socket, else TCP: an operator's own start line may have moved the socket.
async fn open(socket: &Path) -> anyhow::Result<Box<dyn Wire>> {
    match UnixStream::connect(socket).await {
        Ok(stream) => Ok(Box::new(stream)),
        Err(error) => match TcpStream::connect(TCP).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(_) => Err(error).with_context(|| format!("connect to {}", socket.display())),
        },
    }
}

async fn in_time<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::time::timeout(DEADLINE, work).await.with_context(|| format!("no answer in {} ms", DEADLINE.as_millis()))?
}
