//! What follows from the passwords that are told, taken and known while `REPMGRPWD` changes: on the primary, and in every container.
//!
//! The primary changes its roles last, when everybody who would be locked out knows the new password: so the order in which containers
//! are restarted or reloaded does not matter. Nobody is promoted for a refused password: a refusal is a sign of life.

use crate::model::{ClusterView, Knows, NodeNumber, Reach, Role, Taken, Takes};
use crate::spec::{ClusterSpec, OtherPassword, Secret};

/// What a primary does with its own roles.
#[derive(Clone, Debug, PartialEq)]
pub enum Roles {
    /// They have the wanted password.
    Leave,
    Wait {
        because: String,
    },
    Change {
        because: String,
    },
}

/// `others`: everybody who logs in here, by name. Not asked unless the previous password is the one taken.
pub fn roles(taken: Taken, others: &[(String, Knows)]) -> Roles {
    let late = others.iter().find_map(|(name, readiness)| match readiness {
        Knows::NotYet(reason) => Some(format!("{name} {reason}")),
        Knows::Ready | Knows::Away => None,
    });
    match (taken, late) {
        (Taken::Wanted, _) => Roles::Leave,
        // Whoever knows the password of these roles was not told to this container either: there is nobody to wait for.
        (Taken::Neither, _) => Roles::Change { because: "the roles have a password that nobody here was told".into() },
        (Taken::Previous, Some(late)) => Roles::Wait { because: late },
        (Taken::Previous, None) => Roles::Change { because: "everybody knows the new one".into() },
    }
}

/// What a container does with its files that hold the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    Keep,
    /// Write them for this one.
    Write(Takes),
    /// No server takes the previous one any more: it is forgotten.
    Forget,
}

/// What one server said: which password it takes, and what it is.
pub type Answer = Option<(Takes, Role)>;

/// `held`: what the files have. `seen`: one answer for each node of the list, none from those that cannot be asked.
pub fn files(held: Takes, seen: &[Answer]) -> Files {
    match (held, in_use(seen)) {
        (_, None) => Files::Keep,
        (held, Some(used)) if held != used => Files::Write(used),
        (Takes::Wanted, Some(_)) if seen.iter().all(|answer| matches!(answer, Some((Takes::Wanted, _)))) => Files::Forget,
        (Takes::Wanted | Takes::Previous, Some(_)) => Files::Keep,
    }
}

/// What the primary takes, or, without one, what all servers take that answer.
pub fn in_use(seen: &[Answer]) -> Option<Takes> {
    let mut answers = seen.iter().flatten();
    let primary = seen.iter().flatten().find(|(_, role)| *role == Role::Primary);
    match (primary, answers.next()) {
        (Some((takes, _)), _) => Some(*takes),
        (None, Some((takes, _))) if answers.all(|(other, _)| other == takes) => Some(*takes),
        (None, Some(_) | None) => None,
    }
}

/// What a reload takes for the password before `wanted`, and which of the two is in use: `kept` is the cluster as this container knew it,
/// `held` what its files have. Only what is in use, or was, can be of help.
pub fn previous(kept: &ClusterSpec, wanted: Option<&Secret>, held: Takes) -> (Option<Secret>, Takes) {
    let in_use = kept.repmgr_password.as_ref();
    match kept.wanted_password() == wanted {
        true => {
            let previous = [in_use, kept.other_password.as_ref().map(OtherPassword::secret)].into_iter().flatten();
            (previous.into_iter().find(|password| Some(*password) != wanted).cloned(), held)
        }
        false if in_use == wanted => (None, Takes::Wanted),
        false => (in_use.cloned(), Takes::Previous),
    }
}

/// What a person can do when servers do not take our password.
pub fn advice(others: &ClusterView, name: impl Fn(NodeNumber) -> String) -> Option<String> {
    let refuses = |reach: &Reach| matches!(reach, Reach::Refused { reason } if reason.contains("password authentication failed"));
    let names: Vec<String> = others.nodes.iter().filter(|(_, reach)| refuses(reach)).map(|(number, _)| name(*number)).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} will not take REPMGRPWD: if it was changed, give the password before it as REPMGRPWD_PREVIOUS; waiting",
            names.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
