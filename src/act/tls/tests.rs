//! Which files of the operator's are refused before anything is touched, and what is said.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::check;
use crate::model::NodeNumber;
use crate::spec::{ClusterKind, ClusterSpec, FailoverMode, LogFormat, LogLevel, LogSpec, Replication, TlsFiles};

type Change = fn(&mut CertificateParams);

/// The three files of node pg01, in a directory that goes with it.
struct Given(tempfile::TempDir);

impl Given {
    /// Signed by an authority whose certificate is given too.
    fn new(names: &[&str], change: Change) -> Given {
        let mut ca = CertificateParams::new(Vec::new()).unwrap();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(ca, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        change(&mut params);
        let given = Given(tempfile::tempdir().unwrap());
        let own = params.signed_by(&key, &ca).unwrap();
        given.with("crt", &own.pem()).with("key", &key.serialize_pem()).with("ca", &ca.pem())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(self, name: &str, text: &str) -> Given {
        fs::write(self.path(name), text).unwrap();
        self
    }

    /// `pg01`: a node of a cluster; none = a pgpool, or a node alone.
    fn checked(&self, host: Option<&str>, ca: Option<&str>) -> String {
        let tls = TlsFiles { cert: self.path("crt"), key: self.path("key"), ca: ca.map(|name| self.path(name)) };
        match check(&cluster(tls), host) {
            Ok(()) => "taken".into(),
            Err(error) => format!("{error:#}").replace(&self.0.path().display().to_string(), ""),
        }
    }
}

fn cluster(tls: TlsFiles) -> ClusterSpec {
    ClusterSpec {
        nodes: Vec::new(),
        kind: ClusterKind::Cluster,
        bootstrap: NodeNumber(0),
        repmgr_password: None,
        other_password: None,
        replication: Replication::Sync,
        failover: FailoverMode::Auto,
        failover_after: Duration::from_secs(10),
        database: "phoenix".into(),
        services: Vec::new(),
        tls: Some(tls),
        log: LogSpec { format: LogFormat::Text, level: LogLevel::Info },
    }
}

#[test]
fn what_fits_together_is_taken() {
    let given = Given::new(&["pg01"], |_| ());
    assert_eq!(given.checked(Some("pg01"), Some("ca")), "taken");
    assert_eq!(given.checked(None, Some("ca")), "taken");
    assert_eq!(given.checked(Some("pg01"), None), "taken");
}

#[test]
fn a_key_must_be_that_of_the_certificate() {
    let given = Given::new(&["pg01"], |_| ()).with("key", &KeyPair::generate().unwrap().serialize_pem());
    let said = given.checked(None, None);
    assert!(said.starts_with("TLS_CERT_FILE /crt and TLS_KEY_FILE /key are no pair; nothing was touched: "), "{said}");
    let said = Given::new(&["pg01"], |_| ()).with("crt", "nothing").checked(None, None);
    assert_eq!(said, "there is no certificate in the file of TLS_CERT_FILE");
}

#[test]
fn where_the_others_verify_it_must_be_for_this_host_and_of_their_authority() {
    let given = Given::new(&["pg02"], |_| ());
    let said = given.checked(Some("pg01"), Some("ca"));
    assert!(said.contains("no other node would believe pg01, and nothing was touched: replace TLS_CERT_FILE /crt: "), "{said}");
    assert!(said.ends_with(" is for pg02, not for pg01"), "{said}");
    // Nobody asks a pgpool, or a node without an authority, for a name that we know.
    assert_eq!(given.checked(None, Some("ca")), "taken");
    assert_eq!(given.checked(Some("pg01"), None), "taken");
    let other = fs::read_to_string(Given::new(&["pg01"], |_| ()).path("ca")).unwrap();
    let said = Given::new(&["pg01"], |_| ()).with("other", &other).checked(Some("pg01"), Some("other"));
    assert!(said.ends_with("which is not in /other"), "{said}");
    let said = Given::new(&["pg01"], |_| ()).with("ca", "nothing").checked(None, Some("ca"));
    assert_eq!(said, "TLS_CA_FILE /ca holds no certificate; nothing was touched");
}

/// Nobody brings a server back by refusing its start; who verifies says so.
#[test]
fn what_is_over_is_no_reason_to_refuse() {
    let given = Given::new(&["pg01"], |params| params.not_after = rcgen::date_time_ymd(2020, 1, 31));
    assert_eq!(given.checked(Some("pg01"), Some("ca")), "taken");
}
