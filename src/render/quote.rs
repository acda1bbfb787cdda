//! One function per target grammar: a value goes in, the exact text to write comes out, or [`Unquotable`] says why it cannot be.
//!
//! Nothing here writes a line end, knows a path or prints a value: most of what passes through is secret.
//! Where two grammars nest (a conninfo inside repmgr.conf) the caller applies them from the inside out.

mod conf;
mod hba;
mod libpq;
mod pgpool;
mod sql;

pub use conf::{postgresql_conf, repmgr_conf};
pub use hba::hba_name;
pub use libpq::{conninfo, pgpass_line};
pub(in crate::render) use pgpool::POOL_TOKEN;
pub use pgpool::{pcp_conf_line, pcppass_line, pgpool_conf, pool_passwd_line};
pub use sql::{sql_identifier, sql_literal};

/// Why a value cannot be written in a place. The messages hold names and lengths, never the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unquotable {
    /// The grammar has no way to write this character.
    #[error("{place} cannot hold {character}")]
    Character { place: &'static str, character: &'static str },
    /// The grammar gives a value with this beginning another meaning.
    #[error("{place} cannot begin with {character}")]
    Beginning { place: &'static str, character: &'static str },
    /// The grammar gives a value with this end another meaning.
    #[error("{place} cannot end with {character}")]
    End { place: &'static str, character: &'static str },
    /// An empty value is not a value in this place.
    #[error("{place} cannot be empty")]
    Empty { place: &'static str },
    /// The reader of the file cuts or refuses longer values.
    #[error("{place} holds at most {limit} bytes, not {length}")]
    TooLong { place: &'static str, limit: usize, length: usize },
    /// A parameter name that the grammar does not have.
    #[error("{name:?} is not the name of {place}")]
    Name { place: &'static str, name: String },
    /// No form of pool_passwd holds a password of this length.
    #[error("a pool_passwd password holds at most {aes} bytes encrypted (AES) or {text} bytes as it is (TEXT), not {length}")]
    PoolPassword { aes: usize, text: usize, length: usize },
}

/// What no line-based file can hold. A carriage return at a line end is cut off by libpq and PostgreSQL, so it counts.
const LINE_BREAKS: &[char] = &['\n', '\r', '\0'];

/// Refuses a value with one of these characters.
fn refuse(place: &'static str, value: &str, characters: &[char]) -> Result<(), Unquotable> {
    match value.chars().find(|character| characters.contains(character)) {
        Some(found) => Err(Unquotable::Character { place, character: in_words(found) }),
        None => Ok(()),
    }
}

/// Refuses a value that is empty or not one line.
pub(in crate::render) fn one_line(place: &'static str, value: &str) -> Result<(), Unquotable> {
    refuse_empty(place, value)?;
    refuse(place, value, LINE_BREAKS)
}

/// Refuses an empty value.
fn refuse_empty(place: &'static str, value: &str) -> Result<(), Unquotable> {
    if value.is_empty() { Err(Unquotable::Empty { place }) } else { Ok(()) }
}

/// Refuses a value of more than `limit` bytes.
fn refuse_longer(place: &'static str, value: &str, limit: usize) -> Result<(), Unquotable> {
    if value.len() > limit { Err(Unquotable::TooLong { place, limit, length: value.len() }) } else { Ok(()) }
}

/// Writes a backslash before each of `special`.
fn with_backslash(value: &str, special: &[char]) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    for character in value.chars() {
        if special.contains(&character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The name of a refused character.
fn in_words(character: char) -> &'static str {
    match character {
        '\n' => "a newline",
        '\r' => "a carriage return",
        '\0' => "a NUL byte",
        '\'' => "a single quote",
        '"' => "a double quote",
        ':' => "a colon",
        _ => "this character",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_what_and_where_but_never_the_value() {
        let error = refuse("a pass file", "geheim\n", LINE_BREAKS).unwrap_err();
        assert_eq!(error.to_string(), "a pass file cannot hold a newline");
        let error = refuse_longer("a name", "geheim", 5).unwrap_err();
        assert_eq!(error.to_string(), "a name holds at most 5 bytes, not 6");
    }

    #[test]
    fn every_refused_character_has_a_name() {
        for character in ['\n', '\r', '\0', '\'', '"', ':'] {
            assert_ne!(in_words(character), "this character");
        }
    }
}
