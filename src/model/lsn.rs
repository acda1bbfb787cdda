//! A position in the write-ahead log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Malformed;

/// A byte position in the write-ahead log, written `X/X` in hexadecimal (`pg_lsn`).
///
/// Two positions say something about each other only on the same timeline and in the same reign: compare [`super::Rank`]s.
/// Text form as in `src/backend/utils/adt/pg_lsn.c`: two numbers of 1 to 8 hexadecimal digits. PostgreSQL up to 18 prints the
/// low half without leading zeros (as we do), later versions with them; both are read. JSON form: the same text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Lsn(pub u64);

impl Lsn {
    /// The bytes of log between `earlier` and this position; `None` if `earlier` is in fact later.
    #[must_use]
    pub fn checked_sub(self, earlier: Lsn) -> Option<u64> {
        self.0.checked_sub(earlier.0)
    }

    /// Where a WAL segment begins: `position` is the part of its name after the timeline, 16 hexadecimal digits
    /// (`XLogFromFileName` of PostgreSQL's xlog_internal.h).
    #[must_use]
    pub fn of_segment(position: &str, segment_bytes: u64) -> Option<Lsn> {
        let part = |range| u64::from_str_radix(position.get(range)?, 16).ok();
        part(8..16)?.checked_mul(segment_bytes)?.checked_add(part(0..8)? << 32).map(Lsn)
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Lsn {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed { noun: "an LSN", text: text.into(), expected: "two hexadecimal numbers such as 0/3000148" };
        let (high, low) = text.split_once('/').ok_or_else(malformed)?;
        let high = half(high).ok_or_else(malformed)?;
        let low = half(low).ok_or_else(malformed)?;
        Ok(Lsn(u64::from(high) << 32 | u64::from(low)))
    }
}

/// Reads 1 to 8 hexadecimal digits; the standard parser alone would also take a sign and leading zeros without end.
fn half(digits: &str) -> Option<u32> {
    let plain = digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { u32::from_str_radix(digits, 16).ok() } else { None }
}

impl From<Lsn> for String {
    fn from(lsn: Lsn) -> String {
        lsn.to_string()
    }
}

impl TryFrom<String> for Lsn {
    type Error = Malformed;

    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_what_postgresql_prints() {
        assert_eq!("0/0".parse(), Ok(Lsn(0)));
        assert_eq!("16/B374D848".parse(), Ok(Lsn(0x16_B374_D848)));
        assert_eq!("16/b374d848".parse(), Ok(Lsn(0x16_B374_D848)));
        assert_eq!("0/03000060".parse(), Ok(Lsn(0x300_0060)));
        assert_eq!(Lsn(0x300_0060).to_string(), "0/3000060");
        assert_eq!(Lsn(u64::MAX).to_string(), "FFFFFFFF/FFFFFFFF");
    }

    #[test]
    fn other_text_is_refused() {
        for bad in ["", "/", "0", "0/", "/0", "0/0/0", "+1/0", "0/ 1", " 0/1", "0x1/0", "G/0", "123456789/0", "0/000000001"] {
            assert!(bad.parse::<Lsn>().is_err(), "{bad:?}");
        }
        let message = "0/zz".parse::<Lsn>().unwrap_err().to_string();
        assert_eq!(message, r#""0/zz" is not an LSN (expected two hexadecimal numbers such as 0/3000148)"#);
    }

    #[test]
    fn order_is_by_number_not_by_text() {
        assert!(Lsn(0x1_0000_0000) > Lsn(0xFFFF_FFFF));
        assert_eq!(Lsn(0x1_0000_0010).checked_sub(Lsn(0xFFFF_FFFF)), Some(0x11));
        assert_eq!(Lsn(1).checked_sub(Lsn(2)), None);
    }

    #[test]
    fn a_segment_begins_where_its_name_says() {
        assert_eq!(Lsn::of_segment("0000000100000005", 16 << 20), Some(Lsn(0x1_0500_0000)));
        assert_eq!(Lsn::of_segment("00000001000000", 16 << 20), None);
        assert_eq!(Lsn::of_segment("FFFFFFFFFFFFFFFF", u64::MAX), None);
    }

    proptest! {
        #[test]
        fn text_and_json_round_trip(number: u64) {
            let lsn = Lsn(number);
            prop_assert_eq!(lsn.to_string().parse(), Ok(lsn));
            let json = serde_json::to_string(&lsn).unwrap();
            prop_assert_eq!(&json, &format!("\"{lsn}\""));
            prop_assert_eq!(serde_json::from_str::<Lsn>(&json).unwrap(), lsn);
        }
    }
}
