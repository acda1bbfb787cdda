//! The password of role `repmgr` while it changes: the one that is wanted, the one before, and which of them is in use.

use super::{ClusterSpec, Secret, Snapshot};

/// The variable that names the one before.
pub const PREVIOUS: &str = "REPMGRPWD_PREVIOUS";

/// A password beside the one that is in use, as far as this container knows.
#[derive(Clone, Debug, PartialEq)]
pub enum OtherPassword {
    /// The servers took it before, and some may still.
    Previous(Secret),
    /// The servers do not take it yet.
    Next(Secret),
}

impl OtherPassword {
    pub fn secret(&self) -> &Secret {
        match self {
            OtherPassword::Previous(secret) | OtherPassword::Next(secret) => secret,
        }
    }
}

impl ClusterSpec {
    /// `REPMGRPWD`, whether it is in use already or not.
    pub fn wanted_password(&self) -> Option<&Secret> {
        match &self.other_password {
            Some(OtherPassword::Next(wanted)) => Some(wanted),
            Some(OtherPassword::Previous(_)) | None => self.repmgr_password.as_ref(),
        }
    }

    /// Whether two passwords are known, so that the servers may take either.
    pub fn is_rotating(&self) -> bool {
        self.other_password.is_some()
    }

    /// The same cluster with the password before `REPMGRPWD` in use; as it is if there is none.
    pub fn before_rotation(&self) -> ClusterSpec {
        match &self.other_password {
            Some(OtherPassword::Previous(previous)) => ClusterSpec {
                repmgr_password: Some(previous.clone()),
                other_password: self.repmgr_password.clone().map(OtherPassword::Next),
                ..self.clone()
            },
            Some(OtherPassword::Next(_)) | None => self.clone(),
        }
    }

    /// The same cluster with `REPMGRPWD` in use.
    pub fn after_rotation(&self) -> ClusterSpec {
        match &self.other_password {
            Some(OtherPassword::Next(wanted)) => ClusterSpec {
                repmgr_password: Some(wanted.clone()),
                other_password: self.repmgr_password.clone().map(OtherPassword::Previous),
                ..self.clone()
            },
            Some(OtherPassword::Previous(_)) | None => self.clone(),
        }
    }
}

impl Snapshot {
    /// The same environment with another `REPMGRPWD_PREVIOUS`, or none.
    pub fn with_previous(mut self, previous: Option<&Secret>) -> Snapshot {
        self.vars.retain(|(name, _)| name.strip_suffix("_FILE").unwrap_or(name) != PREVIOUS);
        self.files.remove(PREVIOUS);
        self.vars.extend(previous.map(|secret| (PREVIOUS.to_owned(), secret.expose().to_owned())));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HostFacts, RawEnv, Snapshot, postgres_spec};
    use super::*;

    fn cluster(vars: &[(&str, &str)]) -> ClusterSpec {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let host = HostFacts { host_name: "pg01".into() };
        postgres_spec(&RawEnv::read(&Snapshot { vars, ..Snapshot::default() }), &host).expect("a valid environment").cluster
    }

    #[test]
    fn there_and_back_nothing_changes() {
        let wanted = cluster(&[("REPMGRPWD", "new"), ("REPMGRPWD_PREVIOUS", "old")]);
        assert_eq!(wanted.other_password, Some(OtherPassword::Previous(Secret::new("old"))));
        let before = wanted.before_rotation();
        assert_eq!(before.repmgr_password, Some(Secret::new("old")));
        assert_eq!(before.wanted_password(), Some(&Secret::new("new")));
        assert_eq!(before.before_rotation(), before);
        assert_eq!(before.after_rotation(), wanted);
        assert_eq!(wanted.after_rotation(), wanted);
    }

    #[test]
    fn the_same_password_twice_is_no_change() {
        let same = cluster(&[("REPMGRPWD", "old"), ("REPMGRPWD_PREVIOUS", "old")]);
        assert!(!same.is_rotating());
        assert_eq!(same.before_rotation(), same);
    }

    #[test]
    fn a_snapshot_has_one_previous_password_or_none() {
        let vars = vec![("REPMGRPWD_PREVIOUS_FILE".to_owned(), "/run/secrets/x".to_owned()), ("REPMGRPWD".into(), "new".into())];
        let files = [(PREVIOUS.to_owned(), Ok("older".to_owned()))].into();
        let snapshot = Snapshot { vars, files }.with_previous(Some(&Secret::new("old")));
        assert_eq!(snapshot.vars, [("REPMGRPWD".to_owned(), "new".to_owned()), (PREVIOUS.to_owned(), "old".to_owned())]);
        assert!(snapshot.files.is_empty());
        assert_eq!(snapshot.with_previous(None).vars.len(), 1);
    }
}
