//! libpq connection strings (`key=value key='quoted value'`), as far as we read them back.

/// The value of `key`, unquoted; none if it is absent or empty. Source: libpq `conninfo_parse` (fe-connect.c).
pub fn conninfo_value(conninfo: &str, key: &str) -> Option<String> {
    let mut rest = conninfo.trim_start();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, tail) = take_value(after.trim_start());
        if name.trim_end() == key {
            return (!value.is_empty()).then_some(value);
        }
        rest = tail.trim_start();
    }
    None
}

fn take_value(text: &str) -> (String, &str) {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return (value, &text[at + 1..]),
            c if !quoted && c.is_whitespace() => return (value, &text[at..]),
            c => value.push(c),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::conninfo_value;

    #[test]
    fn reads_plain_and_quoted_values() {
        let text = r"user=repmgr host = pg01 application_name='it''s' passfile='/a b/c\'d' port=5432";
        assert_eq!(conninfo_value("host=pg01 user=repmgr", "host").as_deref(), Some("pg01"));
        assert_eq!(conninfo_value(text, "host").as_deref(), Some("pg01"));
        assert_eq!(conninfo_value(r"passfile='/a b/c\'d' port=5432", "passfile").as_deref(), Some("/a b/c'd"));
        assert_eq!(conninfo_value(r"passfile='/a b/c\'d' port=5432", "port").as_deref(), Some("5432"));
        assert_eq!(conninfo_value("host='' port=1", "host"), None);
        assert_eq!(conninfo_value("", "host"), None);
    }
}
