//! The identity that initdb gives to a database cluster.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;

/// "Database system identifier" of `pg_controldata`, `system_identifier` of `pg_control_system()`.
///
/// Data of different identifiers never mix. JSON form: text, because the numbers are above 2^53 and a browser would round them.
/// SQL shows it as `bigint`; it stays below 2^63 until the year 2038 (seconds since 1970 in its upper half), so no sign is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct SystemId(pub u64);

impl fmt::Display for SystemId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for SystemId {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed { noun: "a system identifier", text: text.into(), expected: "a whole number of 64 bits" };
        text.parse().map(SystemId).map_err(|_| malformed())
    }
}

impl From<SystemId> for String {
    fn from(id: SystemId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for SystemId {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_keep_every_digit() {
        let id: SystemId = "7567890123456789013".parse().unwrap();
        assert_eq!(id, SystemId(7_567_890_123_456_789_013));
        assert_eq!(id.to_string(), "7567890123456789013");
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, r#""7567890123456789013""#);
        assert_eq!(serde_json::from_str::<SystemId>(&json).unwrap(), id);
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "-1", "75 67", "0x10", "18446744073709551616"] {
            assert!(bad.parse::<SystemId>().is_err(), "{bad:?}");
        }
    }
}
