//! What a password looks like when it leaks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Text to look for, and what has leaked if it is found.
#[derive(Clone)]
pub struct Form {
    pub what: String,
    pub text: String,
}

/// Each secret as it is, as a password file has it, percent-encoded, and in base64 wherever it stands in the encoded text.
pub fn of(secrets: &[(&str, String)]) -> Vec<Form> {
    let mut forms = Vec::new();
    for (name, secret) in secrets {
        let mut add = |form: &str, text: String| forms.push(Form { what: format!("{name}, {form}"), text });
        add("clear", secret.clone());
        add("pgpass", secret.replace('\\', r"\\").replace(':', r"\:"));
        add("url", url(secret, |byte| format!("%{byte:02X}")));
        add("url", url(secret, |byte| format!("%{byte:02x}")));
        (0..3).for_each(|offset| add("base64", base64(secret, offset)));
    }
    forms
}

fn url(secret: &str, encode: impl Fn(u8) -> String) -> String {
    let byte = |byte: u8| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { encode(byte) };
    secret.bytes().map(byte).collect()
}

/// The characters of the encoded text that depend on nothing but the secret, when `offset` bytes (modulo 3) stand before it.
fn base64(secret: &str, offset: usize) -> String {
    let encoded = STANDARD_NO_PAD.encode([vec![0; offset], secret.as_bytes().to_vec()].concat());
    let first = (offset * 8).div_ceil(6);
    let last = (offset + secret.len()) * 8 / 6;
    encoded[first..last].to_string()
}

#[test]
fn base64_is_found_at_every_offset() {
    for before in ["", "u", "us", "user:"] {
        let text = STANDARD_NO_PAD.encode(format!("{before}Pass/word+1 and more"));
        assert!((0..3).any(|offset| text.contains(&base64("Pass/word+1", offset))), "{text}");
    }
}
