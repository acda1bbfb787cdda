//! The server's certificate: the operator's, or a self-signed one made at each start.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::render::RenderedFile;
use crate::spec::TlsFiles;

/// PEM texts to be written where the generated configuration points to.
pub fn certificate(tls: Option<&TlsFiles>, host: &str, dir: &Path) -> anyhow::Result<Vec<RenderedFile>> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("read {}", path.display()));
    let (cert, key) = match tls {
        Some(files) => (read(&files.cert)?, read(&files.key)?),
        None => self_signed(host)?,
    };
    // PostgreSQL refuses a key that others may read, and Docker mounts secrets as 0444: so a copy with the right mode.
    let mut files = vec![
        RenderedFile { path: dir.join("tls.crt"), mode: 0o644, body: cert },
        RenderedFile { path: dir.join("tls.key"), mode: 0o600, body: key },
    ];
    if let Some(ca) = tls.and_then(|files| files.ca.as_ref()) {
        files.push(RenderedFile { path: dir.join("tls.ca"), mode: 0o644, body: read(ca)? });
    }
    Ok(files)
}

/// For the waiting room: the same certificate as the server's, or one of its own that nobody can tell from it.
pub fn acceptor(tls: Option<&TlsFiles>, host: &str) -> anyhow::Result<TlsAcceptor> {
    let files = certificate(tls, host, Path::new(""))?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(files[0].body.as_bytes()).collect::<Result<_, _>>().context("read the certificate")?;
    let key = PrivateKeyDer::from_pem_slice(files[1].body.as_bytes()).context("read the TLS key")?;
    let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("choose the TLS versions")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("use the certificate")?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// ECDSA P-256: made in well under a millisecond.
fn self_signed(host: &str) -> anyhow::Result<(String, String)> {
    let mut params = rcgen::CertificateParams::new(vec![host.to_string()]).context("make a certificate")?;
    params.distinguished_name.push(rcgen::DnType::CommonName, host);
    let key = rcgen::KeyPair::generate().context("make a TLS key")?;
    let cert = params.self_signed(&key).context("sign the certificate")?;
    Ok((cert.pem(), key.serialize_pem()))
}
