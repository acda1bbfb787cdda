//! One authenticated SQL connection to a node: TLS always over TCP, SCRAM with channel binding, one deadline around everything.
//!
//! Channel binding is required, so a self-signed certificate is as good as a verified one: whoever does not know the
//! role's verifier can neither impersonate the server nor sit in the middle, and never gets a clear password. Where the operator
//! has an authority, chain and host name are verified besides.

pub mod trust;

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::spec::{ClusterSpec, Node, Secret};
pub use trust::Trust;

/// Time for name look-up, connect, TLS and login together.
pub const CONNECT_DEADLINE: Duration = Duration::from_millis(1000);

/// The open connection; it closes when it is dropped.
pub struct Link {
    client: Client,
    /// Ends with the session.
    transport: JoinHandle<Result<(), tokio_postgres::Error>>,
}

impl Link {
    /// Returns when the session has ended, whoever ended it.
    pub async fn ended(&mut self) {
        // Once it has said so, it must not be asked again.
        if !self.transport.is_finished() {
            let _ = (&mut self.transport).await;
        }
    }
}

impl Deref for Link {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// Where a server listens and as whom we come.
#[derive(Clone, Debug)]
pub enum Address {
    /// Unix socket directory; the login is by peer or, in a private directory, by trust.
    Socket { dir: PathBuf, port: u16, user: String },
    Tcp {
        host: String,
        port: u16,
        user: String,
        password: Option<Secret>,
        /// Tried if the server does not take `password`.
        other: Option<Secret>,
        trust: Trust,
    },
}

impl Address {
    /// A node of the cluster, as this role.
    pub fn of(cluster: &ClusterSpec, node: &Node, user: &str, password: Option<Secret>) -> Address {
        let (host, port) = (node.host.clone(), node.port);
        Address::Tcp { host, port, user: user.into(), password, other: None, trust: Trust::of(cluster) }
    }

    /// The same, with a second password for a server that does not take the first.
    pub fn or_with(mut self, second: Option<Secret>) -> Address {
        if let Address::Tcp { other, .. } = &mut self {
            *other = second;
        }
        self
    }

    /// Connects to `database`; statements of the session never wait for a standby.
    pub async fn connect(&self, database: &str) -> Result<Link, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.dbname(database).application_name("pgcluster").connect_timeout(CONNECT_DEADLINE);
        config.options("-c synchronous_commit=local -c client_min_messages=warning -c statement_timeout=0 -c lock_timeout=0");
        match self {
            Address::Socket { dir, port, user } => {
                config.host_path(dir).port(*port).user(user);
                let (client, connection) = config.connect(NoTls).await?;
                Ok(Link { client, transport: tokio::spawn(connection) })
            }
            Address::Tcp { host, port, user, password, other, trust } => {
                config.host(host).port(*port).user(user).ssl_mode(SslMode::Require).channel_binding(ChannelBinding::Require);
                if let Some(password) = password {
                    config.password(password.expose());
                }
                let first = config.connect(trust.connector()).await;
                let (client, connection) = match (first, other) {
                    (Err(error), Some(other)) if is_wrong_password(&error) => {
                        config.password(other.expose()).connect(trust.connector()).await?
                    }
                    (first, Some(_) | None) => first?,
                };
                Ok(Link { client, transport: tokio::spawn(connection) })
            }
        }
    }

    /// `connect` inside the deadline; a frozen server still completes the TCP handshake.
    pub async fn connect_in_time(&self, database: &str) -> anyhow::Result<Link> {
        tokio::time::timeout(CONNECT_DEADLINE, self.connect(database))
            .await
            .with_context(|| format!("connect to {self}: no answer in {} ms", CONNECT_DEADLINE.as_millis()))?
            .map_err(|error| match trust::mistrust(&error) {
                Some(reason) => anyhow::Error::msg(reason),
                None => error.into(),
            })
            .with_context(|| format!("connect to {self}"))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Socket { dir, user, .. } => write!(f, "{user}@{}", dir.display()),
            Address::Tcp { host, port, user, .. } => write!(f, "{user}@{host}:{port}"),
        }
    }
}

/// An answer of a living server: it took no more of us than a wrong password.
pub fn is_wrong_password(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INVALID_PASSWORD)
}
