//! SASLprep (RFC 4013) as PostgreSQL does it, which is not quite as the RFC says.

use std::borrow::Cow;

use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// The password that goes into SCRAM: prepared, or as it is where SASLprep forbids it, as client and server of PostgreSQL do.
///
/// Source: `pg_saslprep` in `src/common/saslprep.c`. It differs from the RFC (and from `stringprep::saslprep`) in three ways:
/// ASCII is never touched, not even control characters; a password that becomes empty counts as forbidden; and what is forbidden
/// is looked for *before* normalization. As only characters of Unicode 3.2 pass, and their normal form is stable, the tables of
/// any later Unicode version give the same result.
pub fn prepared(password: &str) -> Cow<'_, str> {
    if password.is_ascii() {
        return Cow::Borrowed(password);
    }
    let mapped: String = password.chars().filter_map(mapped).collect();
    if mapped.is_empty() || mapped.contains(is_forbidden) || breaks_direction(&mapped) {
        return Cow::Borrowed(password);
    }
    Cow::Owned(mapped.nfkc().collect())
}

/// RFC 3454 tables C.1.2 and B.1: other spaces become a space, invisible characters nothing.
fn mapped(character: char) -> Option<char> {
    if tables::non_ascii_space_character(character) {
        Some(' ')
    } else if tables::commonly_mapped_to_nothing(character) {
        None
    } else {
        Some(character)
    }
}

/// RFC 4013 §2.3 and §2.5: control, private, tagging … characters, and those that Unicode 3.2 did not have.
fn is_forbidden(character: char) -> bool {
    tables::ascii_control_character(character)
        || tables::non_ascii_control_character(character)
        || tables::private_use(character)
        || tables::non_character_code_point(character)
        || tables::inappropriate_for_plain_text(character)
        || tables::inappropriate_for_canonical_representation(character)
        || tables::change_display_properties_or_deprecated(character)
        || tables::tagging_character(character)
        || tables::unassigned_code_point(character)
}

/// The mathematical nabla and partial signs: left-to-right in Unicode 3.2 (table D.2), neutral since, and so in our tables.
const ONCE_LEFT_TO_RIGHT: [char; 10] = [
    '\u{1D6C1}',
    '\u{1D6DB}',
    '\u{1D6FB}',
    '\u{1D715}',
    '\u{1D735}',
    '\u{1D74F}',
    '\u{1D76F}',
    '\u{1D789}',
    '\u{1D7A9}',
    '\u{1D7C3}',
];

/// RFC 3454 §6: right-to-left text begins and ends right-to-left and has no left-to-right character.
fn breaks_direction(text: &str) -> bool {
    let right_to_left = tables::bidi_r_or_al;
    let left_to_right = |character| tables::bidi_l(character) || ONCE_LEFT_TO_RIGHT.contains(&character);
    text.contains(right_to_left)
        && (text.contains(left_to_right) || !text.starts_with(right_to_left) || !text.ends_with(right_to_left))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right side was computed by `pg_saslprep` of PostgreSQL 15 (libpgcommon); all of Unicode was compared once with it.
    #[test]
    fn postgresql_prepares_the_same() {
        let table = [
            ("plain ascii", "plain ascii"),
            ("control\u{7}\t", "control\u{7}\t"),
            ("e\u{301}", "é"),
            ("é", "é"),
            ("\u{FB01}\u{2168}\u{AA}", "fiIXa"),
            ("a\u{A0}b\u{200B}c\u{3000}", "a b c "),
            ("I\u{AD}X", "IX"),
            // Becomes empty, holds a control character, is newer than Unicode 3.2: forbidden, so taken as it is.
            ("\u{AD}", "\u{AD}"),
            ("e\u{301}\u{7}", "e\u{301}\u{7}"),
            ("e\u{301}\u{1F600}", "e\u{301}\u{1F600}"),
            // Right-to-left alone, then with left-to-right letters, then with a digit at the end.
            ("\u{FEE1}\u{5D0}", "\u{645}\u{5D0}"),
            ("\u{FEE1}a\u{5D0}", "\u{FEE1}a\u{5D0}"),
            ("\u{FEE1}1", "\u{FEE1}1"),
            ("\u{5D0}\u{1D6C1}\u{5D0}", "\u{5D0}\u{1D6C1}\u{5D0}"),
            // Forbidden is looked for before normalization: this becomes a space and a combining accent.
            ("\u{A8}", " \u{308}"),
        ];
        for (password, expected) in table {
            assert_eq!(prepared(password), expected, "{}", password.escape_unicode());
        }
    }
}
