//! Owned parameters in the operator's own files, `/etc/pgcluster/conf.d/*.conf`.

use std::fmt;

use super::owned::{OWNED_POSTGRES, Owned, owner};
use super::settings::is_allowed;
use super::types::Replication;

/// A line that sets what is not the operator's to set. Holds no value: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnedLine {
    /// From 1.
    pub line: usize,
    pub owned: &'static Owned,
}

impl fmt::Display for OwnedLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owned { name, reason, instead, .. } = self.owned;
        write!(f, "line {}: pgcluster owns {name}: it {reason}\n  hint: {instead}", self.line)
    }
}

/// All such lines of one file, read as PostgreSQL's guc-file.l does: `name [=] value`, quotes, comments.
pub fn owned_in_conf_d(text: &str, replication: Replication) -> Vec<OwnedLine> {
    let lines = text.lines().enumerate();
    let owned = lines.filter_map(|(index, line)| {
        let (name, value) = setting(line)?;
        let owned = owner(OWNED_POSTGRES, &name)?;
        let refused = !is_allowed(owned.limit, &value, Some(replication));
        refused.then_some(OwnedLine { line: index + 1, owned })
    });
    owned.collect()
}

/// Name in lower case and unquoted value of a line; `None` for blank lines, comments and what PostgreSQL will refuse itself.
fn setting(line: &str) -> Option<(String, String)> {
    let line = line.trim_start();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let value = match rest.strip_prefix('\'') {
        Some(quoted) => quoted.split('\'').next(),
        None => rest.split(|c: char| c == '#' || c.is_whitespace()).next(),
    };
    Some((name.to_ascii_lowercase(), value.unwrap_or_default().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::owned_in_conf_d;
    use crate::spec::Replication;

    #[test]
    fn owned_parameters_are_found_in_every_spelling() {
        let text = "\
# port = 1\n\
work_mem = 64MB\n\
Port 5433\n\
 synchronous_standby_names='' # none\n\
primary_conninfo='password=geheim'\n\
recovery_target_time = '2025-01-01'\n\
fsync=on\n\
fsync = off # faster\n\
wal_level = 'logical'\n\
synchronous_commit = local\n\
include 'other.conf'\n\
pgcluster.promised_epoch = 7\n";
        let found: Vec<_> = owned_in_conf_d(text, Replication::Sync).iter().map(ToString::to_string).collect();
        insta::assert_snapshot!(found.join("\n"));
    }

    #[test]
    fn commits_may_be_lax_in_async_mode() {
        assert_eq!(owned_in_conf_d("synchronous_commit = off", Replication::Async), []);
        assert_eq!(owned_in_conf_d("synchronous_commit = off", Replication::Sync).len(), 1);
    }
}
