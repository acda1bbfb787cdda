//! One function per kind of value. Each takes the variable's name, so that its violation can say it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::violation::Violation;

/// PostgreSQL cuts longer names (NAMEDATALEN - 1).
pub(super) const NAME_BYTES: usize = 63;

/// pgpool keeps a data directory in 256 bytes (MAX_PATH_LENGTH).
const PATH_BYTES: usize = 255;

/// One of some words.
pub(super) fn choice<T: Copy>(variable: &str, text: &str, words: &[(&str, T)]) -> Result<T, Violation> {
    let word = text.trim();
    words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<_> = words.iter().map(|(known, _)| *known).collect();
        Violation::of(variable, text, "not one of the known words", format!("use one of: {}", known.join(", ")))
    })
}

/// `10`, `10s`, `1min`, `1h`: whole seconds within `range`.
pub(super) fn duration(variable: &str, text: &str, range: std::ops::RangeInclusive<u64>) -> Result<Duration, Violation> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let seconds_per_unit = match unit.trim() {
        "" | "s" => 1,
        "min" => 60,
        "h" => 3600,
        _ => {
            return Err(Violation::of(
                variable,
                text,
                "not a duration",
                "write seconds (10 or 10s), minutes (1min) or hours (1h)",
            ));
        }
    };
    let seconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds_per_unit));
    match seconds {
        Some(seconds) if range.contains(&seconds) => Ok(Duration::from_secs(seconds)),
        Some(_) => {
            let rule = format!("outside of {} to {} seconds", range.start(), range.end());
            Err(Violation::of(variable, text, rule, "choose a duration in this range"))
        }
        None => Err(Violation::of(variable, text, "not a duration", "write seconds (10 or 10s), minutes (1min) or hours (1h)")),
    }
}

/// A whole number, decimal digits only.
pub(super) fn number(variable: &str, text: &str, range: std::ops::RangeInclusive<u32>, hint: &str) -> Result<u32, Violation> {
    digits(text.trim()).filter(|number| range.contains(number)).ok_or_else(|| {
        let rule = format!("not a whole number from {} to {}", range.start(), range.end());
        Violation::of(variable, text, rule, hint)
    })
}

/// Digits without sign or blank, which `parse` alone would let through (`+1`).
pub(super) fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A port, 1 to 65535.
pub(super) fn port(text: &str) -> Option<u16> {
    digits(text).and_then(|number| u16::try_from(number).ok()).filter(|port| *port > 0)
}

/// An absolute path that needs no quoting anywhere: pgpool puts `%D` unquoted into a shell line.
pub(super) fn directory(variable: &str, text: &str) -> Result<PathBuf, Violation> {
    match directory_rule(text) {
        None => Ok(PathBuf::from(trimmed_path(text))),
        Some(rule) => {
            let hint = "give an absolute path of letters, digits and . _ - /, such as /u01/pg17/data";
            Err(Violation::of(variable, text, rule, hint))
        }
    }
}

/// The rule that a directory breaks.
pub(super) fn directory_rule(text: &str) -> Option<&'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    if !text.starts_with('/') {
        Some("not an absolute path")
    } else if trimmed_path(text) == "/" {
        Some("the root directory, which is not the container's to fill")
    } else if !text.chars().all(plain) {
        Some("a path with characters that a shell would read")
    } else if text.split('/').any(|part| part == ".." || part == ".") {
        Some("a path with . or .. in it")
    } else if text.len() > PATH_BYTES {
        Some("longer than 255 bytes")
    } else {
        None
    }
}

fn trimmed_path(text: &str) -> &str {
    let path = text.trim_end_matches('/');
    if path.is_empty() { "/" } else { path }
}

/// A file given by the operator: absolute, printable.
pub(super) fn file(variable: &str, text: &str) -> Result<PathBuf, Violation> {
    let printable = !text.chars().any(|c| c.is_control() || c == '\'');
    if text.starts_with('/') && printable {
        Ok(PathBuf::from(text))
    } else {
        Err(Violation::of(
            variable,
            text,
            "not an absolute path of printable characters",
            "give a path such as /run/secrets/tls.crt",
        ))
    }
}

/// The name of a role or database that PostgreSQL, pg_hba.conf and pool_passwd all take.
pub(super) fn sql_name(variable: &str, text: &str) -> Result<String, Violation> {
    let rule = if text.is_empty() {
        "empty"
    } else if text.len() > NAME_BYTES {
        "longer than PostgreSQL's 63 bytes"
    } else if !text.chars().all(|c| c.is_ascii_graphic() || c == ' ') || text.trim() != text {
        "a name with control characters, characters beyond ASCII, or blanks around it"
    } else if text.contains(['"', '\'', '\\', ':', ',', '/', '$']) {
        "a name with one of \" ' \\ : , / $"
    } else if text.starts_with("pg_") {
        "names that begin with pg_ belong to PostgreSQL"
    } else if text == "repmgr" {
        "repmgr is pgcluster's own role and database"
    } else {
        return Ok(text.to_owned());
    };
    Err(Violation::of(variable, text, rule, "choose a plain name, such as app"))
}

/// Host names and IPv4: pgpool puts `%h` and `%H` unquoted into a shell line.
pub(super) fn is_host(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts_well = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    starts_well && text.len() <= 127 && text.bytes().all(plain)
}

/// csv of networks as pg_hba.conf takes them.
pub(super) fn networks(variable: &str, text: &str) -> Result<Vec<String>, Violation> {
    text.split(',').map(str::trim).map(|item| network(variable, text, item)).collect()
}

fn network(variable: &str, text: &str, item: &str) -> Result<String, Violation> {
    if matches!(item, "all" | "samenet" | "samehost") {
        return Ok(item.to_owned());
    }
    let broken = |rule: String, hint: String| Err(Violation::of(variable, text, rule, hint));
    let (address, bits) = match item.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>(), Some(bits)),
        None => (item.parse::<IpAddr>(), None),
    };
    match (address, bits) {
        (Err(_), _) => {
            let hint = "use networks such as 10.0.0.0/8 or fd00::/8, or the words samenet, samehost, all";
            broken(format!("\"{}\" is not a network", item.escape_debug()), hint.to_owned())
        }
        (Ok(address), None) => broken(format!("{item} has no mask"), format!("write {item}/{}", full_mask(address))),
        (Ok(address), Some(bits)) if digits(bits).is_some_and(|bits| bits <= full_mask(address)) => Ok(item.to_owned()),
        (Ok(address), Some(_)) => {
            let limit = full_mask(address);
            broken(format!("the mask of \"{}\" is not 0 to {limit}", item.escape_debug()), "write address/bits".to_owned())
        }
    }
}

fn full_mask(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Words as a POSIX shell splits them: quotes and backslashes, no expansion. `None` when a quote is left open.
pub(super) fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\n' | '\r' => words.extend(word.take()),
            '\'' | '"' => quoted(c, &mut chars, word.get_or_insert_default())?,
            '\\' => word.get_or_insert_default().push(chars.next()?),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words)
}

/// What stands between two quotes; in double ones a backslash keeps its meaning before four characters only.
fn quoted(quote: char, chars: &mut std::str::Chars<'_>, word: &mut String) -> Option<()> {
    loop {
        match chars.next()? {
            end if end == quote => return Some(()),
            '\\' if quote == '"' => match chars.next()? {
                special @ ('"' | '\\' | '$' | '`') => word.push(special),
                other => word.extend(['\\', other]),
            },
            inner => word.push(inner),
        }
    }
}

#[cfg(test)]
mod tests;
