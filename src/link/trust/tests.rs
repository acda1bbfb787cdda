//! What an authority vouches for, and what the refusals say.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::verify;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn params(subject: &str, names: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    params
}

fn authority(subject: &str, change: impl Fn(&mut CertificateParams)) -> Authority {
    let mut params = params(subject, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    change(&mut params);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn signed(by: &Authority, names: &[&str], change: impl Fn(&mut CertificateParams)) -> String {
    let mut params = params("pg02", names);
    change(&mut params);
    params.signed_by(&KeyPair::generate().unwrap(), by).unwrap().pem()
}

/// What is said of the certificate of `host`, by the authorities in a file of this text.
fn judged(authorities: &str, chain: &str, host: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ca");
    std::fs::write(&file, authorities).unwrap();
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().unwrap();
    match verify(&file, &chain, host) {
        Ok(()) => "trusted".into(),
        Err(reason) => reason.replace(&file.display().to_string(), "FILE"),
    }
}

#[test]
fn what_it_signed_for_this_host_is_trusted() {
    let ca = authority("ours", |_| ());
    let own = signed(&ca, &["pg02", "localhost", "10.0.0.2"], |_| ());
    for host in ["pg02", "localhost", "10.0.0.2"] {
        assert_eq!(judged(&ca.pem(), &own, host), "trusted");
    }
    // One after another: an authority is replaced by giving both for a while.
    let both = format!("{}{}", authority("next", |_| ()).pem(), ca.pem());
    assert_eq!(judged(&both, &own, "pg02"), "trusted");
}

#[test]
fn a_refusal_names_the_certificate_and_the_reason() {
    let ca = authority("ours", |_| ());
    let other = signed(&authority("theirs", |_| ()), &["pg02"], |_| ());
    assert_eq!(judged(&ca.pem(), &other, "pg02"), "the certificate CN=pg02 was signed by CN=theirs, which is not in FILE");
    // The same name on another key.
    let twin = signed(&authority("ours", |_| ()), &["pg02"], |_| ());
    assert_eq!(judged(&ca.pem(), &twin, "pg02"), "the certificate CN=pg02 was signed by CN=ours, which is not in FILE");
    let misnamed = signed(&ca, &["pg03", "localhost"], |_| ());
    assert_eq!(judged(&ca.pem(), &misnamed, "pg02"), "the certificate CN=pg02 is for pg03, localhost, not for pg02");
    assert_eq!(judged(&ca.pem(), &signed(&ca, &[], |_| ()), "pg02"), "the certificate CN=pg02 is for no name, not for pg02");
    let old = signed(&ca, &["pg02"], |params| params.not_after = rcgen::date_time_ymd(2020, 1, 31));
    assert_eq!(
        judged(&ca.pem(), &old, "pg02"),
        "the certificate CN=pg02, or one that signed it, is over: it ends on 2020-01-31 00:00:00 UTC"
    );
}

#[test]
fn an_authority_that_is_of_no_use_is_named_too() {
    let ca = authority("ours", |_| ());
    let own = signed(&ca, &["pg02"], |_| ());
    assert_eq!(judged("nothing\n", &own, "pg02"), "TLS_CA_FILE FILE holds no certificate");
    let over = authority("ours", |params| params.not_after = rcgen::date_time_ymd(2020, 1, 31));
    let own = signed(&over, &["pg02"], |_| ());
    assert_eq!(judged(&over.pem(), &own, "pg02"), "the authority CN=ours of FILE ended on 2020-01-31 00:00:00 UTC");
    let missing = verify(std::path::Path::new("/nowhere/ca"), &[], "pg02").unwrap_err();
    assert!(missing.starts_with("TLS_CA_FILE /nowhere/ca cannot be read: "), "{missing}");
}
