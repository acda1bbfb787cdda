//! Password entries of pgpool's pool_passwd.
//!
//! pgpool answers the server's SCRAM challenge itself and needs the clear password for it: a verifier copied from `pg_authid` can
//! never work. And pgpool knows no SASLprep (its `auth-scram.c` mentions it, nothing calls it), while server and clients prepare
//! the password: so the *prepared* password is what an entry holds. Measured with pgpool 4.3.5: without it `e` + U+0301 cannot
//! log in.
//!
//! `AES` keeps the password from a glance (key and initialization vector follow from the key file alone, so equal
//! passwords look equal); it protects nothing from a reader of the key.

use aes::Aes256;
use base64::prelude::{BASE64_STANDARD, Engine};
use cbc::Encryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use sha1::{Digest, Sha1};

use super::quote::{POOL_TOKEN, Unquotable, one_line};
use super::scram::prepared;

/// Bytes of a password that fits encrypted: 79 → 5 blocks → `AES` + 108 = 111 characters; 80 → 6 blocks → 131, more than the 128
/// that pgpool keeps of an entry.
const AES_PASSWORD: usize = 79;

/// Bytes of a password that fits as it is: 128 less the prefix `TEXT`, counted before escaping (see `pool_passwd_line`).
const TEXT_PASSWORD: usize = POOL_TOKEN - "TEXT".len();

/// The first length that needs `TEXT`.
const BEYOND_AES: usize = AES_PASSWORD + 1;

/// Bytes of the key: `read_pool_key` reads the first line of the file into `char[256]` and cuts the rest.
const POOL_KEY: usize = 255;

/// The form in which pool_passwd can hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolEntry {
    /// `AES` and the encrypted password in base64.
    Aes,
    /// `TEXT` and the password itself.
    Text,
}

impl PoolEntry {
    /// The form for this password: `Aes` up to 79 bytes, `Text` up to 124, refused beyond.
    ///
    /// What counts are the bytes of the prepared password: for ASCII the password itself, else it can be shorter or longer. An
    /// empty password is refused (PostgreSQL never accepts one, and pgpool cannot decrypt one), and so are line breaks and NUL.
    pub fn of(password: &str) -> Result<PoolEntry, Unquotable> {
        one_line("a pool_passwd password", password)?;
        match prepared(password).len() {
            ..=AES_PASSWORD => Ok(PoolEntry::Aes),
            BEYOND_AES..=TEXT_PASSWORD => Ok(PoolEntry::Text),
            length => Err(Unquotable::PoolPassword { aes: AES_PASSWORD, text: TEXT_PASSWORD, length }),
        }
    }
}

/// The entry for this (not yet prepared) password, not yet escaped: `AES` + base64 or `TEXT` + password;
/// [`super::quote::pool_passwd_line`] makes a line of it.
///
/// Source: pgpool's `aes_get_key` (`src/utils/ssl_utils.c`) and `get_decrypted_password` (`src/auth/pool_passwd.c`); the same as
/// `openssl enc -aes-256-cbc -md sha1 -nosalt -k KEY -base64 -A`. `pool_key` is the content of the key file, without its newline.
pub fn pool_entry(password: &str, pool_key: &str) -> Result<String, Unquotable> {
    let prepared = prepared(password);
    match PoolEntry::of(password)? {
        PoolEntry::Text => Ok(format!("TEXT{prepared}")),
        PoolEntry::Aes => {
            one_line("a pool key", pool_key)?;
            if pool_key.len() > POOL_KEY {
                return Err(Unquotable::TooLong { place: "a pool key", limit: POOL_KEY, length: pool_key.len() });
            }
            let (key, iv) = key_and_iv(pool_key.as_bytes());
            let cipher = Encryptor::<Aes256>::new(&key.into(), &iv.into());
            let encrypted = cipher.encrypt_padded_vec::<Pkcs7>(prepared.as_bytes());
            Ok(format!("AES{}", BASE64_STANDARD.encode(encrypted)))
        }
    }
}

/// OpenSSL's `EVP_BytesToKey` with SHA-1, no salt, one round: D1 = SHA1(key), D2 = SHA1(D1 key), … cut into a key of 32 bytes and
/// an initialization vector of 16.
fn key_and_iv(pool_key: &[u8]) -> ([u8; 32], [u8; 16]) {
    let first = Sha1::digest(pool_key);
    let second = Sha1::new().chain_update(first).chain_update(pool_key).finalize();
    let third = Sha1::new().chain_update(second).chain_update(pool_key).finalize();
    let mut bytes = first.iter().chain(&second).chain(&third).copied();
    let mut next = || bytes.next().expect("three digests of 20 bytes are more than 48");
    (std::array::from_fn(|_| next()), std::array::from_fn(|_| next()))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::super::quote::pool_passwd_line;
    use super::*;

    /// `openssl enc` on the password, the program pgpool's library belongs to.
    fn openssl(password: &str, key: &str) -> String {
        let mut child = Command::new("openssl")
            .args(["enc", "-aes-256-cbc", "-md", "sha1", "-nosalt", "-base64", "-A", "-k", key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this test needs the program `openssl` in PATH (Debian package openssl)");
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "openssl enc: {}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn the_form_follows_the_length_in_bytes() {
        let form = |length| PoolEntry::of(&"x".repeat(length));
        assert_eq!(form(1), Ok(PoolEntry::Aes));
        assert_eq!(form(79), Ok(PoolEntry::Aes));
        assert_eq!(form(80), Ok(PoolEntry::Text));
        assert_eq!(form(124), Ok(PoolEntry::Text));
        let message = "a pool_passwd password holds at most 79 bytes encrypted (AES) or 124 bytes as it is (TEXT), not 125";
        assert_eq!(form(125).unwrap_err().to_string(), message);
        assert_eq!(PoolEntry::of(&"é".repeat(40)), Ok(PoolEntry::Text), "80 bytes, not 40");
        for bad in ["", "a\nb", "a\rb", "a\0b"] {
            assert!(PoolEntry::of(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn each_form_at_its_limit_fits_the_token() {
        let longest = |length| pool_entry(&":".repeat(length), "key").unwrap();
        assert_eq!(longest(79).len(), 111);
        assert_eq!(longest(124).len(), POOL_TOKEN);
        for length in [1, 79, 80, 124] {
            assert!(pool_passwd_line("app", &longest(length)).is_ok(), "{length}");
        }
    }

    #[test]
    fn the_entry_holds_the_prepared_password() {
        assert_eq!(pool_entry("e\u{301}", "key"), pool_entry("é", "key"));
        assert_eq!(pool_entry(&"e\u{301}".repeat(40), "key"), Ok(format!("TEXT{}", "é".repeat(40))), "120 bytes become 80");
        assert_eq!(PoolEntry::of(&"e\u{301}".repeat(27)), Ok(PoolEntry::Aes), "81 bytes become 54");
        assert!(PoolEntry::of(&"\u{FDFA}".repeat(4)).is_err(), "12 bytes become 132");
    }

    #[test]
    fn the_key_is_one_line_of_at_most_255_bytes() {
        for bad in ["", "a\nb", "a\0b", &"k".repeat(256)] {
            assert!(pool_entry("secret", bad).is_err(), "{bad:?}");
        }
        assert!(pool_entry("secret", &"k".repeat(255)).is_ok());
    }

    #[test]
    fn openssl_encrypts_the_same() {
        for length in 1..=79 {
            let password = "pässword 'x\":\\,$"[..].repeat(5);
            let end = (1..=length).rev().find(|end| password.is_char_boundary(*end)).unwrap();
            let password = &password[..end];
            let entry = pool_entry(password, "the pool key").unwrap();
            assert_eq!(entry.strip_prefix("AES"), Some(openssl(password, "the pool key").as_str()), "{length}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn openssl_encrypts_any_the_same(password in r"[^\x00\r\n]{1,19}", key in r"[^\x00\r\n]{1,60}") {
            prop_assume!(PoolEntry::of(&password) == Ok(PoolEntry::Aes));
            let entry = pool_entry(&password, &key).unwrap();
            prop_assert_eq!(entry, format!("AES{}", openssl(&prepared(&password), &key)));
        }
    }
}
