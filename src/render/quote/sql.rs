//! SQL identifiers and string literals.

use super::{Unquotable, refuse, refuse_empty, refuse_longer};

/// Bytes of a name: `NAMEDATALEN` - 1. PostgreSQL cuts longer ones with a mere NOTICE, so that two names can become one.
const IDENTIFIER: usize = 63;

/// An identifier: always `"…"` with `""`, 1 to 63 bytes.
///
/// Source: `quote_identifier` and `truncate_identifier`; <https://www.postgresql.org/docs/current/sql-syntax-lexical.html>.
pub fn sql_identifier(name: &str) -> Result<String, Unquotable> {
    let place = "an SQL identifier";
    refuse_empty(place, name)?;
    refuse(place, name, &['\0'])?;
    refuse_longer(place, name, IDENTIFIER)?;
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A string literal: `'…'` with `''`; `E'…'` with `\\` when a backslash occurs, so that it means the same whatever
/// `standard_conforming_strings` says.
///
/// Source: `PQescapeLiteral` in `src/interfaces/libpq/fe-exec.c`. Safe for UTF-8 (what a `&str` is): no byte of a longer
/// character looks like a quote. Must not be glued to a preceding word: `x` + `E'…'` would be another token.
pub fn sql_literal(value: &str) -> Result<String, Unquotable> {
    refuse("an SQL literal", value, &['\0'])?;
    let doubled = value.replace('\'', "''");
    if doubled.contains('\\') { Ok(format!("E'{}'", doubled.replace('\\', r"\\"))) } else { Ok(format!("'{doubled}'")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_are_doubled() {
        assert_eq!(sql_identifier(r#"a"b"#), Ok(r#""a""b""#.into()));
        assert_eq!(sql_literal(""), Ok("''".into()));
        assert_eq!(sql_literal("it's $1"), Ok("'it''s $1'".into()));
        assert_eq!(sql_literal(r"it's \n"), Ok(r"E'it''s \\n'".into()));
    }

    #[test]
    fn what_sql_cannot_say_is_refused() {
        assert!(sql_literal("a\0b").is_err());
        for bad in ["", "a\0b", &"x".repeat(64), &"é".repeat(32)] {
            assert!(sql_identifier(bad).is_err(), "{bad:?}");
        }
        assert!(sql_identifier(&"x".repeat(63)).is_ok());
    }

    /// Reads a literal as the server's scanner does (`scan.l`, states `xq` and `xe`); the rest after its end must be empty.
    fn scanned(literal: &str) -> Option<String> {
        let (escapes, body) = match literal.strip_prefix('E') {
            Some(rest) => (true, rest),
            None => (false, literal),
        };
        let mut rest = body.strip_prefix('\'')?.chars();
        let mut value = String::new();
        loop {
            match (rest.next()?, escapes) {
                ('\'', _) if rest.as_str().starts_with('\'') => value.extend(rest.next()),
                ('\'', _) => return rest.as_str().is_empty().then_some(value),
                ('\\', true) => value.push(rest.next().filter(|next| *next == '\\')?),
                (other, _) => value.push(other),
            }
        }
    }

    proptest! {
        #[test]
        fn literals_round_trip(value in r#"([^\x00]|['\\]{1,3})*"#) {
            prop_assert_eq!(scanned(&sql_literal(&value).unwrap()), Some(value));
        }

        #[test]
        fn identifiers_round_trip(name in r#"[^\x00]{1,15}"#) {
            let written = sql_identifier(&name).unwrap();
            let inside = &written[1..written.len() - 1];
            prop_assert_eq!(inside.replace("\"\"", "\u{1}").matches('"').count(), 0);
            prop_assert_eq!(inside.replace("\"\"", "\""), name);
        }
    }
}
