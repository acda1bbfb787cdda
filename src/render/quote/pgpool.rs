//! What pgpool-II reads: pgpool.conf, pool_passwd, pcp.conf and the password file of the pcp commands.

use md5::{Digest, Md5};

use super::libpq::pass_line;
use super::{LINE_BREAKS, Unquotable, refuse, refuse_empty, refuse_longer};

/// Bytes of a pool_passwd entry: `MAX_TOKEN_LEN` of `getNextToken`, which counts the characters it *stores*, so before escaping.
pub(in crate::render) const POOL_TOKEN: usize = 128;

/// Bytes of an escaped pool_passwd line: `char buf[1024]` less the newline and the NUL.
const POOL_LINE: usize = 1022;

/// Bytes of a pcp.conf user: `user_authenticate` counts 128 (`MAX_USER_PASSWD_LEN`) over user, colon and 32 digits of MD5.
const PCP_USER: usize = 95;

/// Bytes of an escaped .pcppass line: `char buf[320]` (`NAMEDATALEN * 5`) less the newline and the NUL.
const PCPPASS_LINE: usize = 318;

/// A value of pgpool.conf: `'…'` on one line. Nothing can be escaped, so `'` and line breaks are refused.
///
/// Source: `STRING` and `extract_string` in pgpool's `src/config/pool_config.l`, which cut off the outer quotes and do no more. A
/// backslash is a backslash; only one right before the closing quote is refused, because the scanner would run on to the next
/// quote of the line, if there is one (in a comment, say). Passwords do not belong here: leave them empty, pgpool then asks
/// pool_passwd.
pub fn pgpool_conf(value: &str) -> Result<String, Unquotable> {
    let place = "a pgpool.conf value";
    refuse(place, value, &['\''])?;
    refuse(place, value, LINE_BREAKS)?;
    if value.ends_with('\\') {
        return Err(Unquotable::End { place, character: "a backslash" });
    }
    Ok(format!("'{value}'"))
}

/// A line of pool_passwd, `user:entry`, with `\` and `:` escaped in both; no line end.
///
/// Source: `pool_get_user_credentials`, `userMatchesString` and `getNextToken` in pgpool's `src/auth/pool_passwd.c`. An entry
/// holds at most 128 bytes **before** escaping (backslashes are not counted), a longer one is silently cut; the escaped line at
/// most 1022. The one reader that does not unescape (`pool_get_passwd`) is compiled out. For `entry` see
/// [`crate::render::pool_passwd`].
pub fn pool_passwd_line(user: &str, entry: &str) -> Result<String, Unquotable> {
    refuse_longer("a pool_passwd entry", entry, POOL_TOKEN)?;
    let line = pass_line("a pool_passwd field", &[user, entry])?;
    refuse_longer("a pool_passwd line", &line, POOL_LINE)?;
    Ok(line)
}

/// A line of pcp.conf, `user:md5(password)` in lower-case hexadecimal, without salt (what `pg_md5` prints); no line end.
///
/// Source: `user_authenticate` in pgpool's `src/pcp_con/pcp_worker.c`. There is no escaping: a user with `:`, a line break or a
/// leading `#` (comment) is refused, and one of more than 95 bytes.
pub fn pcp_conf_line(user: &str, password: &str) -> Result<String, Unquotable> {
    let place = "a pcp.conf user";
    refuse_empty(place, user)?;
    refuse(place, user, &[':'])?;
    refuse(place, user, LINE_BREAKS)?;
    refuse_longer(place, user, PCP_USER)?;
    if user.starts_with('#') {
        return Err(Unquotable::Beginning { place, character: "a number sign (a comment)" });
    }
    refuse_empty("a pcp password", password)?;
    let digits: String = Md5::digest(password).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{user}:{digits}"))
}

/// A line of .pcppass, `host:port:user:password`, with `\` and `:` escaped; at most 318 bytes; no line end.
///
/// A field that is exactly `*` means "any"; a connection through the default socket directory looks for `localhost`. Source:
/// `PasswordFromFile` in pgpool's `src/libs/pcp/pcp.c`. The file must be 0600 or it is ignored.
pub fn pcppass_line(host: &str, port: &str, user: &str, password: &str) -> Result<String, Unquotable> {
    let line = pass_line("a .pcppass field", &[host, port, user, password])?;
    refuse_longer("a .pcppass line", &line, PCPPASS_LINE)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::with_backslash;
    use super::*;

    #[test]
    fn pgpool_conf_quotes_and_cannot_escape() {
        assert_eq!(pgpool_conf(""), Ok("''".into()));
        assert_eq!(pgpool_conf(r#"/bin/x %d "%h" \ #"#), Ok(r#"'/bin/x %d "%h" \ #'"#.into()));
        for bad in ["it's", "a\nb", "a\r", "a\0", r"C:\"] {
            assert!(pgpool_conf(bad).is_err(), "{bad:?}");
        }
        assert_eq!(pgpool_conf("'").unwrap_err().to_string(), "a pgpool.conf value cannot hold a single quote");
    }

    #[test]
    fn a_pool_passwd_entry_is_measured_before_escaping() {
        assert_eq!(pool_passwd_line("app", r"TEXTa:b\c"), Ok(r"app:TEXTa\:b\\c".into()));
        let colons = ":".repeat(124);
        let line = pool_passwd_line("app", &format!("TEXT{colons}")).unwrap();
        assert_eq!(line.len(), "app:TEXT".len() + 2 * 124);
        let error = pool_passwd_line("app", &format!("TEXT{colons}:")).unwrap_err();
        assert_eq!(error.to_string(), "a pool_passwd entry holds at most 128 bytes, not 129");
        assert!(pool_passwd_line("", "TEXTx").is_err());
        assert!(pool_passwd_line("app", "").is_err());
        assert!(pool_passwd_line("app", "TEXTx\ny").is_err());
        assert!(pool_passwd_line(&"x".repeat(1022), "TEXTx").is_err());
    }

    #[test]
    fn pcp_conf_holds_the_plain_md5() {
        // `printf %s secret | md5sum`
        assert_eq!(pcp_conf_line("admin", "secret"), Ok("admin:5ebe2294ecd0e0f08eab7690d2a6ee69".into()));
        for bad in ["", "a:b", "a\nb", "#admin", &"x".repeat(96)] {
            assert!(pcp_conf_line(bad, "secret").is_err(), "{bad:?}");
        }
        assert!(pcp_conf_line("admin", "").is_err());
    }

    #[test]
    fn pcppass_has_a_short_line() {
        assert_eq!(pcppass_line("localhost", "9898", "admin", r"a:b\"), Ok(r"localhost:9898:admin:a\:b\\".into()));
        let fixed = "*:*:u:".len();
        assert!(pcppass_line("*", "*", "u", &"x".repeat(318 - fixed)).is_ok());
        assert!(pcppass_line("*", "*", "u", &"x".repeat(319 - fixed)).is_err());
        assert!(pcppass_line("*", "*", "u", &":".repeat(160)).is_err());
    }

    /// `userMatchesString` and then `getNextToken` of pgpool: backslashes are skipped without being counted, 128 bytes are kept.
    fn looked_up(line: &str, user: &str) -> Option<Vec<u8>> {
        let mut rest = line.as_bytes().strip_prefix(with_backslash(user, &['\\', ':']).as_bytes())?.strip_prefix(b":")?;
        let mut token = Vec::new();
        while token.len() < 128 {
            match rest {
                [b'\\', escaped, ..] => {
                    token.push(*escaped);
                    rest = &rest[2..];
                }
                [b':', ..] | [] => break,
                [plain, ..] => {
                    token.push(*plain);
                    rest = &rest[1..];
                }
            }
        }
        Some(token)
    }

    proptest! {
        #[test]
        fn pool_passwd_lines_round_trip(user in r"([^\x00\r\n]|[:\\]){1,16}", entry in r"([^\x00\r\n]|[:\\]{1,9}){1,60}") {
            prop_assume!(entry.len() <= POOL_TOKEN);
            let line = pool_passwd_line(&user, &entry).unwrap();
            prop_assert_eq!(looked_up(&line, &user), Some(entry.into_bytes()));
        }

        #[test]
        fn pgpool_conf_is_the_value_between_quotes(value in "[^\0\r\n']{0,40}[^\0\r\n'\\\\]") {
            let written = pgpool_conf(&value).unwrap();
            prop_assert_eq!(&written[1..written.len() - 1], value);
        }
    }
}
