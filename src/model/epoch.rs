//! The number of a reign.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;

/// Number of a reign: 1 after initdb, one more with each promotion.
///
/// A *data epoch* says which reign a node's data comes from, a *promised epoch* below which reign it will not follow.
/// 0 means that no reign is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The reign that initdb begins.
    pub const FIRST: Epoch = Epoch(1);

    /// The reign after this one.
    #[must_use]
    pub fn next(self) -> Epoch {
        Epoch(self.0.checked_add(1).expect("2^64 promotions do not happen"))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl FromStr for Epoch {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let expected = "a whole number such as 1";
        text.parse().map(Epoch).map_err(|_| Malformed { noun: "an epoch", text: text.into(), expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promotion_begins_a_higher_reign() {
        assert_eq!(Epoch::FIRST.next(), Epoch(2));
        assert!(Epoch(2).next() > Epoch(2));
    }

    #[test]
    fn text_and_json_are_the_plain_number() {
        assert_eq!("7".parse(), Ok(Epoch(7)));
        assert_eq!(Epoch(7).to_string(), "7");
        assert_eq!(serde_json::to_string(&Epoch(7)).unwrap(), "7");
        for bad in ["", "-1", "1.5", "x", "18446744073709551616"] {
            assert!(bad.parse::<Epoch>().is_err(), "{bad:?}");
        }
    }
}
