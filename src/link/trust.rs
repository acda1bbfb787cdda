//! Whose certificate a connection of ours accepts. Reads the operator's authority anew each time: it may have been replaced.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, OtherError, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::model::Certificate;
use crate::spec::ClusterSpec;

/// What a server's certificate must be, besides bound to the login by SCRAM's channel binding, which is always required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Anything: whoever does not know the role's verifier can neither pose as the server nor sit in the middle.
    ChannelBinding,
    /// Signed by an authority of this PEM file, for the host that was asked for, and not over (`TLS_CA_FILE`).
    Authority(PathBuf),
}

impl Trust {
    pub fn of(cluster: &ClusterSpec) -> Trust {
        match cluster.authority() {
            Some(path) => Trust::Authority(path.to_path_buf()),
            None => Trust::ChannelBinding,
        }
    }

    pub(super) fn connector(&self) -> MakeRustlsConnect {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let rule = match self {
            Trust::ChannelBinding => Rule::Anything,
            Trust::Authority(path) => Rule::signed_by(path, &provider).unwrap_or_else(Rule::Nothing),
        };
        let config = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier { rule, provider }))
            .with_no_client_auth();
        MakeRustlsConnect::new(config)
    }
}

/// Whether this authority vouches for the first certificate of `chain` as that of `host`; else why not.
pub fn verify(authority: &Path, chain: &[CertificateDer<'_>], host: &str) -> Result<(), String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let rule = Rule::signed_by(authority, &provider)?;
    let [own, rest @ ..] = chain else { return Err("there is no certificate".into()) };
    let name = ServerName::try_from(host).map_err(|error| format!("{host} is no name for a certificate: {error}"))?;
    rule.judge(own, rest, &name, UnixTime::now())
}

/// Why the server's certificate was not accepted, if that is what went wrong.
pub fn mistrust(error: &tokio_postgres::Error) -> Option<String> {
    let cause = std::error::Error::source(error)?.downcast_ref::<io::Error>()?.get_ref()?;
    match cause.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(reason))) => Some(reason.to_string()),
        rustls::Error::InvalidCertificate(other) => Some(format!("its certificate is not its own: {other}")),
        _ => None,
    }
}

#[derive(Debug)]
enum Rule {
    Anything,
    Signed {
        authority: PathBuf,
        webpki: Arc<WebPkiServerVerifier>,
    },
    /// The authority is of no use, and why: nobody can be verified.
    Nothing(String),
}

impl Rule {
    /// libpq and pgpool refuse what an authority signed whose own time is over; webpki does not look at it.
    fn signed_by(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Rule, String> {
        let text = std::fs::read(path).map_err(|error| format!("TLS_CA_FILE {} cannot be read: {error}", path.display()))?;
        let now_s = UnixTime::now().as_secs();
        let (mut roots, mut ended) = (RootCertStore::empty(), None);
        for der in CertificateDer::pem_slice_iter(&text).filter_map(Result::ok) {
            match Certificate::from_der(&der) {
                Some(root) if root.ends_s < now_s as i64 => ended = Some(root),
                // A certificate that cannot be an authority leaves the others in place.
                Some(_) | None => drop(roots.add(der)),
            }
        }
        match (roots.is_empty(), ended) {
            (true, Some(root)) => Err(format!("the authority {} of {} ended on {}", root.subject, path.display(), root.ends)),
            (true, None) => Err(format!("TLS_CA_FILE {} holds no certificate", path.display())),
            (false, _) => {
                let builder = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone());
                let webpki = builder.build().map_err(|error| format!("TLS_CA_FILE {}: {error}", path.display()))?;
                Ok(Rule::Signed { authority: path.to_path_buf(), webpki })
            }
        }
    }

    fn judge(
        &self,
        own: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), String> {
        match self {
            Rule::Anything => Ok(()),
            Rule::Nothing(reason) => Err(reason.clone()),
            Rule::Signed { authority, webpki } => match webpki.verify_server_cert(own, rest, host, &[], now) {
                Ok(_) => Ok(()),
                Err(error) => Err(explain(&error, own, &host.to_str(), authority)),
            },
        }
    }
}

/// Names the certificate and what is wrong with it.
fn explain(error: &rustls::Error, own: &CertificateDer<'_>, host: &str, authority: &Path) -> String {
    let Some(Certificate { subject, issuer, names, ends, .. }) = Certificate::from_der(own) else {
        return format!("what it presents is no certificate: {error}");
    };
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            format!("the certificate {subject}, or one that signed it, is over: it ends on {ends}")
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => {
            let names = if names.is_empty() { "no name".into() } else { names.join(", ") };
            format!("the certificate {subject} is for {names}, not for {host}")
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            format!("the certificate {subject} was signed by {issuer}, which is not in {}", authority.display())
        }
        other => format!("the certificate {subject} is not accepted: {other}"),
    }
}

/// A reason that travels through rustls, tokio and tokio-postgres to `mistrust`.
#[derive(Debug)]
struct Mistrust(String);

impl fmt::Display for Mistrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Mistrust {}

/// Whatever the rule, the handshake's signature is verified: the peer must own the certificate's key.
#[derive(Debug)]
struct Verifier {
    rule: Rule,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.rule.judge(end_entity, intermediates, server_name, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(reason) => Err(CertificateError::Other(OtherError(Arc::new(Mistrust(reason)))).into()),
        }
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

#[cfg(test)]
mod tests;
