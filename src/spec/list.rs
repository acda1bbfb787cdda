//! A csv or, when it begins with `[`, a JSON array of strings.
//!
//! Plain csv knows no escapes: every byte between two commas is the item, as in the original. A comma needs the JSON form.

/// Why a list could not be split. Never repeats its text, which may be secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAList;

pub(super) fn items(text: &str) -> Result<Vec<String>, NotAList> {
    if text.trim_start().starts_with('[') {
        // serde_json's own message could repeat a piece of the text.
        return serde_json::from_str(text).map_err(|_| NotAList);
    }
    Ok(text.split(',').map(str::to_owned).collect())
}
