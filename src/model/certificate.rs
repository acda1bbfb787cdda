//! What a certificate says of itself: whose it is, who signed it, for which names, until when.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// `CN=pg01`.
    pub subject: String,
    pub issuer: String,
    /// DNS names and addresses of its subjectAltName; a name in the subject alone is no name any more (RFC 6125).
    pub names: Vec<String>,
    /// Its end, as `2027-01-31 12:00:00 UTC`.
    pub ends: String,
    /// The same, in seconds since 1970.
    pub ends_s: i64,
}

/// A certificate that a server or a container uses now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InUse {
    pub certificate: Certificate,
    /// Seconds until its end; negative = it is over.
    pub left_s: i64,
}

impl Certificate {
    /// None if these bytes are no certificate.
    pub fn from_der(der: &[u8]) -> Option<Certificate> {
        let parsed = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate;
        let names = parsed.get::<SubjectAltName>().ok().flatten().map(|(_, names)| names.0).unwrap_or_default();
        let end = parsed.validity.not_after;
        Some(Certificate {
            subject: parsed.subject.to_string(),
            issuer: parsed.issuer.to_string(),
            names: names.iter().filter_map(name).collect(),
            ends: end.to_date_time().to_string().replace('T', " ").replace('Z', " UTC"),
            ends_s: i64::try_from(end.to_unix_duration().as_secs()).ok()?,
        })
    }

    /// Every certificate of a PEM text, in its order; the first is the server's own.
    pub fn all_from_pem(text: &str) -> Vec<Certificate> {
        let found = CertificateDer::pem_slice_iter(text.as_bytes()).filter_map(Result::ok);
        found.filter_map(|der| Certificate::from_der(&der)).collect()
    }

    /// Whether a client that asked for this host takes it for the host's.
    pub fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(domain) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
            None => name.eq_ignore_ascii_case(host),
        })
    }

    /// Whether it was signed by its own key: nobody verifies it, and nobody expects its names to be right.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn name(general: &GeneralName) -> Option<String> {
    match general {
        GeneralName::DnsName(name) => Some(name.as_str().to_owned()),
        GeneralName::IpAddress(octets) => match octets.as_bytes() {
            bytes if bytes.len() == 4 => <[u8; 4]>::try_from(bytes).ok().map(|four| IpAddr::from(four).to_string()),
            bytes => <[u8; 16]>::try_from(bytes).ok().map(|all| IpAddr::from(all).to_string()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Certificate;

    fn made(names: &[&str]) -> Certificate {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "pg01");
        params.not_after = rcgen::date_time_ymd(2030, 1, 31);
        let pem = params.self_signed(&key).unwrap().pem();
        let all = Certificate::all_from_pem(&format!("a comment\n{pem}{pem}"));
        assert_eq!(all.len(), 2);
        all.into_iter().next().unwrap()
    }

    #[test]
    fn it_says_whose_it_is_and_until_when() {
        let certificate = made(&["pg01", "127.0.0.1"]);
        assert_eq!((certificate.subject.as_str(), certificate.issuer.as_str()), ("CN=pg01", "CN=pg01"));
        assert!(certificate.is_self_signed());
        assert_eq!(certificate.names, ["pg01", "127.0.0.1"]);
        assert_eq!((certificate.ends.as_str(), certificate.ends_s), ("2030-01-31 00:00:00 UTC", 1_896_048_000));
    }

    #[test]
    fn it_is_for_its_names_and_for_one_label_in_place_of_a_star() {
        let certificate = made(&["pg01", "*.db.example", "fd00::1"]);
        for host in ["pg01", "PG01", "pg01.db.example", "fd00::1"] {
            assert!(certificate.is_for(host), "{host}");
        }
        for host in ["pg02", "db.example", "a.pg01.db.example", ""] {
            assert!(!certificate.is_for(host), "{host}");
        }
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(Certificate::from_der(b"nothing"), None);
        assert_eq!(Certificate::all_from_pem("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"), []);
    }
}
