//! pg_hba.conf and pool_hba.conf.

use super::{LINE_BREAKS, Unquotable, refuse, refuse_empty, refuse_longer};

/// Bytes of a token: `char buf[MAX_TOKEN]` with `MAX_TOKEN` 256 in PostgreSQL up to 15 and in pgpool's copy.
const TOKEN: usize = 255;

/// A database or role name in pg_hba.conf or pool_hba.conf: always `"…"`, so that no keyword (`all`, `replication`), `+group` or
/// `@file` is meant; at most 255 bytes.
///
/// Source: `next_token` in PostgreSQL's `src/backend/libpq/hba.c` and pgpool's `src/auth/pool_hba.c`. A `/` at the beginning is
/// refused: from PostgreSQL 16 on it makes a regular expression even of a quoted name (`regcomp_auth_token`). `"` could be
/// doubled but is refused, as no role of ours needs it and older readers got it wrong.
pub fn hba_name(name: &str) -> Result<String, Unquotable> {
    let place = "an access rule's name";
    refuse_empty(place, name)?;
    refuse(place, name, &['"'])?;
    refuse(place, name, LINE_BREAKS)?;
    refuse_longer(place, name, TOKEN)?;
    if name.starts_with('/') {
        return Err(Unquotable::Beginning { place, character: "a slash (a regular expression from PostgreSQL 16 on)" });
    }
    Ok(format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_always_quoted() {
        assert_eq!(hba_name("all"), Ok(r#""all""#.into()));
        assert_eq!(hba_name("my app, #1 \\"), Ok(r#""my app, #1 \""#.into()));
        assert_eq!(hba_name("+admins"), Ok(r#""+admins""#.into()));
    }

    #[test]
    fn what_would_mean_something_else_is_refused() {
        for bad in ["", "a\"b", "a\nb", "a\r", "a\0b", "/^app"] {
            assert!(hba_name(bad).is_err(), "{bad:?}");
        }
        assert!(hba_name(&"x".repeat(255)).is_ok());
        assert!(hba_name(&"x".repeat(256)).is_err());
    }
}
