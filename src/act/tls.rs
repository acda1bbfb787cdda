//! The server's certificate: the operator's, or a self-signed one made at each start.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::link::trust;
use crate::model::Certificate;
use crate::observe::certificates::in_use;
use crate::render::RenderedFile;
use crate::spec::{ClusterSpec, TlsFiles};

/// Refuses files of which nothing good can come, before anything is touched. `host`: as the other nodes ask for it; none = nobody
/// verifies this container's name. What is over is only warned of: other files would not bring it back sooner, a restart does.
pub fn check(cluster: &ClusterSpec, host: Option<&str>) -> anyhow::Result<()> {
    let Some(files) = &cluster.tls else { return Ok(()) };
    let pem = certificate(Some(files), "", Path::new(""))?;
    let chain = chain(&pem[0].body)?;
    server_config(chain.clone(), &pem[1].body).with_context(|| {
        format!(
            "TLS_CERT_FILE {} and TLS_KEY_FILE {} are no pair; nothing was touched",
            files.cert.display(),
            files.key.display()
        )
    })?;
    let Some(authority) = cluster.authority() else { return Ok(()) };
    let authorities = in_use(&pem[2].body);
    if authorities.is_empty() {
        bail!("TLS_CA_FILE {} holds no certificate; nothing was touched", authority.display());
    }
    let all = in_use(&pem[0].body).into_iter().take(1).chain(authorities);
    let over: Vec<Certificate> = all.filter(|each| each.left_s < 0).map(|each| each.certificate).collect();
    for Certificate { subject, ends, .. } in &over {
        tracing::warn!("the certificate {subject} is over since {ends}: whoever verifies it refuses this container; replace it");
    }
    match host {
        Some(host) if over.is_empty() => trust::verify(authority, &chain, host).map_err(anyhow::Error::msg).with_context(|| {
            format!("no other node would believe {host}, and nothing was touched: replace TLS_CERT_FILE {}", files.cert.display())
        }),
        Some(_) | None => Ok(()),
    }
}

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
    let config = server_config(chain(&files[0].body)?, &files[1].body)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn chain(pem: &str) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().context("read the certificate")?;
    match chain.is_empty() {
        true => bail!("there is no certificate in the file of TLS_CERT_FILE"),
        false => Ok(chain),
    }
}

/// Fails where the key is not the certificate's.
fn server_config(chain: Vec<CertificateDer<'static>>, key: &str) -> anyhow::Result<rustls::ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("read the TLS key, which must have no passphrase")?;
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .context("choose the TLS versions")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("use the certificate")
}

/// ECDSA P-256: made in well under a millisecond.
fn self_signed(host: &str) -> anyhow::Result<(String, String)> {
    let mut params = rcgen::CertificateParams::new(vec![host.to_string()]).context("make a certificate")?;
    params.distinguished_name.push(rcgen::DnType::CommonName, host);
    let key = rcgen::KeyPair::generate().context("make a TLS key")?;
    let cert = params.self_signed(&key).context("sign the certificate")?;
    Ok((cert.pem(), key.serialize_pem()))
}

#[cfg(test)]
mod tests;
