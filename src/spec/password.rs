//! What a password may be. Messages never repeat any of it.

use super::Secret;
use super::violation::Violation;

/// An AES entry of pool_passwd holds this many bytes: base64 of 80 and their padding is longer than pgpool's token.
const AES_BYTES: usize = 79;

/// pgpool reads 128 characters of an entry (`getNextToken`, src/auth/pool_passwd.c), and `TEXT` is four of them.
const TEXT_CHARS: usize = 124;

/// A rule and its hint.
type Broken = (&'static str, &'static str);

/// A password that only PostgreSQL or pcp reads.
pub(super) fn printable(text: &str) -> Result<(), Broken> {
    if text.is_empty() {
        Err(("empty", "give a password, or unset the variable"))
    } else if text.chars().any(char::is_control) {
        Err(("a password with a newline or another control character", "use printable characters only"))
    } else {
        Ok(())
    }
}

/// A password that also has to fit an entry of pgpool's pool_passwd.
pub(super) fn through_pgpool(text: &str) -> Result<(), Broken> {
    printable(text)?;
    let escapes = text.bytes().filter(|byte| matches!(byte, b'\\' | b':')).count();
    if text.len() <= AES_BYTES || text.len() + escapes <= TEXT_CHARS {
        Ok(())
    } else {
        Err((
            "longer than pgpool's pool_passwd can hold",
            "use at most 79 bytes, or at most 124 where every \\ and : counts twice",
        ))
    }
}

/// The secret in a variable, by one of the rules above.
pub(super) fn secret(variable: &str, text: &str, rule: fn(&str) -> Result<(), Broken>) -> Result<Secret, Violation> {
    rule(text).map_err(|(rule, hint)| Violation::new(variable, rule, hint))?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::{printable, through_pgpool};

    #[test]
    fn the_limits_are_those_of_an_aes_and_of_a_text_entry() {
        let fits = |text: String| through_pgpool(&text).is_ok();
        assert!(fits(":".repeat(79)) && !fits(":".repeat(80)));
        assert!(fits("x".repeat(124)) && !fits("x".repeat(125)));
        assert!(fits("x".repeat(120) + "\\:") && !fits("x".repeat(121) + "\\:"));
        assert!(fits("ä".repeat(62)) && !fits("ä".repeat(63)));
    }

    #[test]
    fn control_characters_are_refused_and_blanks_are_not() {
        assert!(printable(" two words ").is_ok());
        assert!(["", "a\nb", "a\tb", "a\u{7f}", "\u{0}"].into_iter().all(|text| printable(text).is_err()));
    }
}
