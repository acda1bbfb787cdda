//! What libpq reads: connection strings and the password file.

use super::{LINE_BREAKS, Unquotable, refuse, refuse_empty, with_backslash};

/// A keyword/value connection string, `key=value key='va lue'`, each value quoted only when it must be.
///
/// Source: `conninfo_parse` in `src/interfaces/libpq/fe-connect.c`: inside `'…'` and outside, `\` escapes the next character;
/// outside, white space ends the value; an empty value must be quoted. We also quote everything that is not ASCII, because the
/// parser asks `isspace` of the locale. A value that goes into repmgr.conf or postgresql.conf still needs that file's quoting.
pub fn conninfo(parts: &[(&str, &str)]) -> Result<String, Unquotable> {
    let mut written = Vec::with_capacity(parts.len());
    for (key, value) in parts {
        if key.is_empty() || !key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return Err(Unquotable::Name { place: "a connection parameter", name: (*key).into() });
        }
        refuse("a connection string", value, &['\0'])?;
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\'' && byte != b'\\';
        if !value.is_empty() && value.bytes().all(plain) {
            written.push(format!("{key}={value}"));
        } else {
            written.push(format!("{key}='{}'", with_backslash(value, &['\'', '\\'])));
        }
    }
    Ok(written.join(" "))
}

/// A line of a libpq password file, `host:port:database:user:password`, with `\` and `:` escaped; no line end.
///
/// A field that is exactly `*` keeps its meaning, "any". `host` is the name as the client gives it (`localhost` for the default
/// socket); `database` of a streaming replication connection is `replication`. A `#` at the beginning of the host is escaped,
/// as the line would be a comment.
/// Source: `passwordFromFile` in `src/interfaces/libpq/fe-connect.c`; lines of any length from PostgreSQL 13 on (319 bytes
/// before). The file must be 0600 or libpq ignores it.
pub fn pgpass_line(host: &str, port: &str, database: &str, user: &str, password: &str) -> Result<String, Unquotable> {
    let line = pass_line("a .pgpass field", &[host, port, database, user, password])?;
    Ok(if line.starts_with('#') { format!("\\{line}") } else { line })
}

/// Fields joined with `:`, with `\` and `:` inside them escaped.
pub(super) fn pass_line(place: &'static str, fields: &[&str]) -> Result<String, Unquotable> {
    let mut escaped = Vec::with_capacity(fields.len());
    for field in fields {
        refuse_empty(place, field)?;
        refuse(place, field, LINE_BREAKS)?;
        escaped.push(with_backslash(field, &['\\', ':']));
    }
    Ok(escaped.join(":"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_quoted_only_when_they_must_be() {
        let parts = [("host", "pg01,pg02"), ("user", "repmgr"), ("passfile", "/run/pgcluster/pgpass"), ("options", "-c x=1")];
        let text = "host=pg01,pg02 user=repmgr passfile=/run/pgcluster/pgpass options='-c x=1'";
        assert_eq!(conninfo(&parts), Ok(text.into()));
        assert_eq!(conninfo(&[("password", r"it's \ ")]), Ok(r"password='it\'s \\ '".into()));
        assert_eq!(conninfo(&[("password", "")]), Ok("password=''".into()));
        assert_eq!(conninfo(&[("password", "é")]), Ok("password='é'".into()));
        assert_eq!(conninfo(&[]), Ok(String::new()));
    }

    #[test]
    fn a_key_cannot_smuggle_a_second_parameter() {
        for bad in ["", "host=x user", "Host", "host "] {
            assert!(conninfo(&[(bad, "x")]).is_err(), "{bad:?}");
        }
        assert!(conninfo(&[("host", "a\0b")]).is_err());
    }

    #[test]
    fn a_password_file_line_escapes_colon_and_backslash() {
        let line = pgpass_line("pg01", "5432", "*", "repmgr", r"a:b\c");
        assert_eq!(line, Ok(r"pg01:5432:*:repmgr:a\:b\\c".into()));
        assert_eq!(pgpass_line("fe80::1", "*", "*", "u", "p"), Ok(r"fe80\:\:1:*:*:u:p".into()));
        assert_eq!(pgpass_line("#1", "*", "*", "u", "p"), Ok(r"\#1:*:*:u:p".into()));
        for bad in ["", "a\nb", "a\r", "a\0"] {
            assert!(pgpass_line("pg01", "5432", "*", "repmgr", bad).is_err(), "{bad:?}");
        }
    }

    /// `conninfo_parse`, step by step.
    fn parsed(text: &str) -> Option<Vec<(String, String)>> {
        let mut parts = Vec::new();
        let mut rest = text.trim_ascii_start();
        while let Some((key, value)) = rest.split_once('=') {
            let (quoted, body) = value.strip_prefix('\'').map_or((false, value), |body| (true, body));
            let mut characters = body.chars();
            let mut read = String::new();
            loop {
                match characters.next() {
                    Some('\\') => read.push(characters.next()?),
                    Some('\'') if quoted => break,
                    Some(space) if !quoted && space.is_whitespace() => break,
                    None if quoted => return None,
                    None => break,
                    Some(other) => read.push(other),
                }
            }
            parts.push((key.to_owned(), read));
            rest = characters.as_str().trim_ascii_start();
        }
        rest.is_empty().then_some(parts)
    }

    /// A field as `pwdfMatchesString` and the de-escaping loop of `passwordFromFile` read it.
    fn fields(line: &str) -> Vec<String> {
        let mut fields = vec![String::new()];
        let mut characters = line.chars();
        while let Some(character) = characters.next() {
            match character {
                ':' => fields.push(String::new()),
                '\\' => fields.last_mut().unwrap().extend(characters.next()),
                other => fields.last_mut().unwrap().push(other),
            }
        }
        fields
    }

    proptest! {
        #[test]
        fn connection_strings_round_trip(values in prop::collection::vec(r"([^\x00]|['\\ =]{1,3})*", 0..4)) {
            let parts: Vec<_> = values.iter().map(|value| ("password", value.as_str())).collect();
            let expected: Vec<_> = values.iter().map(|value| ("password".to_owned(), value.clone())).collect();
            prop_assert_eq!(parsed(&conninfo(&parts).unwrap()), Some(expected));
        }

        #[test]
        fn password_file_lines_round_trip(values in prop::array::uniform5(r"([^\x00\r\n]|[:\\#]{1,3}){1,9}")) {
            let [host, port, database, user, password] = &values;
            let line = pgpass_line(host, port, database, user, password).unwrap();
            prop_assert!(!line.starts_with('#'));
            prop_assert_eq!(fields(&line), values.to_vec());
        }
    }
}
