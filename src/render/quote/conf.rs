//! postgresql.conf and repmgr.conf: the same scanner in both.

use super::{LINE_BREAKS, Unquotable, refuse, refuse_longer};

/// Bytes of a repmgr.conf value. The fields are `char[1024]`; repmgr accepts a value of 1024 bytes (`configfile.c` refuses only
/// `strlen(value) > sizeof field`) and then has no room for the terminating NUL, so that it reads on into the next field.
const REPMGR_VALUE: usize = 1023;

/// A value of postgresql.conf or postgresql.auto.conf: `'…'` with `''` and `\\`; line breaks become `\n` and `\r`.
///
/// Source: `STRING` and `DeescapeQuotedString` in `src/backend/utils/misc/guc-file.l`. Only a NUL is refused.
pub fn postgresql_conf(value: &str) -> Result<String, Unquotable> {
    refuse("a PostgreSQL setting", value, &['\0'])?;
    Ok(quoted(value))
}

/// A value of repmgr.conf: `'…'` with `''` and `\\`, at most 1023 bytes, on one line.
///
/// Source: `STRING` and `CONF_scanstr` in repmgr's `configfile-scan.l` (a copy of PostgreSQL's scanner); limit: see
/// `REPMGR_VALUE`. A conninfo must be quoted by [`super::conninfo`] first. `node_name` has a limit of its own (63 bytes), which
/// is not checked here.
pub fn repmgr_conf(value: &str) -> Result<String, Unquotable> {
    refuse("a repmgr.conf value", value, LINE_BREAKS)?;
    refuse_longer("a repmgr.conf value", value, REPMGR_VALUE)?;
    Ok(quoted(value))
}

fn quoted(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 8);
    quoted.push('\'');
    for character in value.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '\\' => quoted.push_str(r"\\"),
            '\n' => quoted.push_str(r"\n"),
            '\r' => quoted.push_str(r"\r"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::render::auto_conf;

    #[test]
    fn quotes_and_backslashes_are_doubled() {
        assert_eq!(postgresql_conf(""), Ok("''".into()));
        assert_eq!(postgresql_conf(r"it's C:\n # 1"), Ok(r"'it''s C:\\n # 1'".into()));
        assert_eq!(postgresql_conf("a\r\nb"), Ok(r"'a\r\nb'".into()));
        assert_eq!(repmgr_conf(r"password='it\'s'"), Ok(r"'password=''it\\''s'''".into()));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(postgresql_conf("a\0").unwrap_err().to_string(), "a PostgreSQL setting cannot hold a NUL byte");
        assert_eq!(repmgr_conf("a\nb").unwrap_err().to_string(), "a repmgr.conf value cannot hold a newline");
        assert!(repmgr_conf(&"x".repeat(1023)).is_ok());
        let error = repmgr_conf(&"x".repeat(1024)).unwrap_err();
        assert_eq!(error.to_string(), "a repmgr.conf value holds at most 1023 bytes, not 1024");
    }

    proptest! {
        #[test]
        fn the_scanner_reads_back_what_was_written(value in "[^\0]*") {
            let text = format!("x = {} # '", postgresql_conf(&value).unwrap());
            prop_assert_eq!(auto_conf::read(&text), vec![("x".to_owned(), value)]);
        }
    }
}
