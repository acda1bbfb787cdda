//! The cluster of compose.yaml, and what `doctor` says in one of its containers.

use std::time::{Duration, Instant};

use crate::build::{Cluster, OWNER_PASSWORD, PCP_PASSWORD, POSTGRES_PASSWORD, REPMGR_PASSWORD, USER_PASSWORD};
use crate::docker::docker_output;

/// For what `doctor` is to see after a reload, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(30);

const PASSWORDS: [&str; 5] = [REPMGR_PASSWORD, POSTGRES_PASSWORD, PCP_PASSWORD, OWNER_PASSWORD, USER_PASSWORD];

/// Three nodes, pgpool, init, secrets as files.
pub struct Patient {
    pub cluster: Cluster,
}

impl Patient {
    /// Healthy after every oracle but `doctor`.
    pub fn admit(test: &str) -> Patient {
        let cluster = Cluster::nodes(test, 3).pgpool().restart("unless-stopped").env("FAILOVER_MODE", "auto").secret_files().up();
        cluster.wait_healthy("pg01");
        Patient { cluster }
    }

    /// Codes of warnings and errors, each once, in alphabetical order. The exit code must say the same, and no password be shown.
    #[track_caller]
    pub fn codes(&self, container: &str) -> Vec<String> {
        let name = self.cluster.container(container);
        let output = docker_output(&["exec", "-u", "50010", &name, "timeout", "20", "pgcluster", "doctor", "--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        let all = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!PASSWORDS.iter().any(|password| all.contains(password)), "a password is shown: {all}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {all}"));
        let checks = json["checks"].as_array().unwrap();
        assert!(checks.len() >= 25, "{} checks", checks.len());
        let is_bad = |check: &&serde_json::Value| ["warn", "error"].contains(&check["severity"].as_str().unwrap());
        let mut codes: Vec<String> =
            checks.iter().filter(is_bad).map(|check| check["code"].as_str().unwrap().to_string()).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(output.status.code(), Some(i32::from(!codes.is_empty())), "exit code with {codes:?}");
        codes
    }

    /// Waits until `doctor` finds exactly these there.
    #[track_caller]
    pub fn expect(&self, container: &str, expected: &[&str]) {
        self.expect_within(PATIENCE, container, expected);
    }

    #[track_caller]
    pub fn expect_within(&self, patience: Duration, container: &str, expected: &[&str]) {
        let began = Instant::now();
        loop {
            let codes = self.codes(container);
            if codes == expected {
                return;
            }
            assert!(began.elapsed() < patience, "doctor in {container} finds {codes:?} after {patience:?}, not {expected:?}");
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}
