//! One authenticated SQL connection to a node: TLS always over TCP, SCRAM with channel binding, one deadline around everything.
//!
//! Channel binding is required, so a self-signed certificate is as good as a verified one: whoever does not know the
//! role's verifier can neither impersonate the server nor sit in the middle, and never gets a clear password.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::spec::Secret;

/// Time for name look-up, connect, TLS and login together.
pub const CONNECT_DEADLINE: Duration = Duration::from_millis(1000);

/// Where a server listens and as whom we come.
#[derive(Clone, Debug)]
pub enum Address {
    /// Unix socket directory; the login is by peer or, in a private directory, by trust.
    Socket {
        dir: PathBuf,
        port: u16,
        user: String,
    },
    Tcp {
        host: String,
        port: u16,
        user: String,
        password: Option<Secret>,
    },
}

impl Address {
    /// Connects to `database`; statements of the session never wait for a standby.
    pub async fn connect(&self, database: &str) -> Result<Client, tokio_postgres::Error> {
        let mut config = tokio_postgres::Config::new();
        config.dbname(database).application_name("pgcluster").connect_timeout(CONNECT_DEADLINE);
        config.options("-c synchronous_commit=local -c client_min_messages=warning -c statement_timeout=0 -c lock_timeout=0");
        match self {
            Address::Socket { dir, port, user } => {
                config.host_path(dir).port(*port).user(user);
                let (client, connection) = config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            Address::Tcp { host, port, user, password } => {
                config.host(host).port(*port).user(user).ssl_mode(SslMode::Require).channel_binding(ChannelBinding::Require);
                if let Some(password) = password {
                    config.password(password.expose());
                }
                let (client, connection) = config.connect(tls()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }

    /// `connect` inside the deadline; a frozen server still completes the TCP handshake.
    pub async fn connect_in_time(&self, database: &str) -> anyhow::Result<Client> {
        tokio::time::timeout(CONNECT_DEADLINE, self.connect(database))
            .await
            .with_context(|| format!("connect to {self}: no answer in {} ms", CONNECT_DEADLINE.as_millis()))?
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

fn tls() -> MakeRustlsConnect {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(BoundChannel { provider }))
        .with_no_client_auth();
    MakeRustlsConnect::new(config)
}

/// Accepts any certificate chain, because SCRAM's channel binding authenticates the very certificate of this connection.
/// The handshake's signature is verified all the same: the peer must own the certificate's key.
#[derive(Debug)]
struct BoundChannel {
    provider: Arc<rustls::crypto::CryptoProvider>,
}

impl ServerCertVerifier for BoundChannel {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
