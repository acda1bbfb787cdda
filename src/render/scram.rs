//! SCRAM-SHA-256 verifiers: what PostgreSQL stores of a password, so that the password itself never reaches the server or its
//! log.

mod saslprep;

use base64::prelude::{BASE64_STANDARD, Engine};
use hmac::{Hmac, KeyInit, Mac};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha256};

pub(in crate::render) use saslprep::prepared;

/// PostgreSQL's iteration count (`SCRAM_SHA_256_DEFAULT_ITERATIONS`).
pub const ITERATIONS: u32 = 4096;

/// The two keys of RFC 5802 that a verifier holds.
struct Keys {
    stored: [u8; 32],
    server: [u8; 32],
}

/// `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, for `ALTER ROLE … PASSWORD`; the salt is random bytes of the
/// caller.
///
/// Source: `scram_build_secret` in `src/common/scram-common.c`. The password is prepared as PostgreSQL does it (SASLprep, or as
/// it is where SASLprep forbids it). `iterations` is at least 1, [`ITERATIONS`] unless there is a reason.
#[must_use]
pub fn verifier(password: &str, salt: [u8; 16], iterations: u32) -> String {
    let keys = keys(password, &salt, iterations);
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    format!("SCRAM-SHA-256${iterations}:{}${}:{}", base64(&salt), base64(&keys.stored), base64(&keys.server))
}

/// Was this verifier (`pg_authid.rolpassword`) made from this password? `false` also for anything that is no such verifier.
#[must_use]
pub fn matches(verifier: &str, password: &str) -> bool {
    let Some((salt, iterations, expected)) = parsed(verifier) else { return false };
    let keys = keys(password, &salt, iterations);
    keys.stored == expected.stored && keys.server == expected.server
}

/// SaltedPassword, ClientKey, StoredKey and ServerKey of RFC 5802 §3.
fn keys(password: &str, salt: &[u8], iterations: u32) -> Keys {
    let mut salted = [0; 32];
    pbkdf2_hmac::<Sha256>(prepared(password).as_bytes(), salt, iterations, &mut salted);
    let client = hmac(&salted, b"Client Key");
    Keys { stored: Sha256::digest(client).into(), server: hmac(&salted, b"Server Key") }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

/// Salt, iterations and keys of a verifier; `parse_scram_secret` in `src/backend/libpq/auth-scram.c`.
fn parsed(verifier: &str) -> Option<(Vec<u8>, u32, Keys)> {
    let (parameters, keys) = verifier.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
    let (iterations, salt) = parameters.split_once(':')?;
    let (stored, server) = keys.split_once(':')?;
    let iterations = iterations.parse().ok().filter(|count| *count > 0)?;
    let key = |text: &str| BASE64_STANDARD.decode(text).ok()?.try_into().ok();
    Some((BASE64_STANDARD.decode(salt).ok()?, iterations, Keys { stored: key(stored)?, server: key(server)? }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made by PostgreSQL 15 (`ALTER ROLE … PASSWORD '…'`, then `pg_authid.rolpassword`).
    const BY_POSTGRESQL: [(&str, &str); 4] = [
        (
            r#"it's: "x", \$ é"#,
            "SCRAM-SHA-256$4096:Fo1NjoHQkKCYxaqYW40iSA==$ILkcMut3Hk6/1iBFCguRBvbgWe4xAoLaA8oFS339ZMM=:7StPWzrBtTjMA3ewgD8BxAzs4TN+R4C6+jmeXWvcHKc=",
        ),
        (
            "I\u{AD}X e\u{301} \u{FB01}",
            "SCRAM-SHA-256$4096:7NO1KIyosVnrhCvPi5LbwA==$/hRNQTjG/+ikmLYA2D3I8LhKhfLp/COyRx8kGQGHHJM=:1YKk4Cs3gxSgYYpXAu1SdUrlQIkL8j3Ih6qTEpVylfk=",
        ),
        (
            "\u{AD}",
            "SCRAM-SHA-256$4096:obF/0x1VfLGZ4tiA6wPoYA==$oJ1s3ZQyZgpe3WTyp2i2DfL5Wxdc1S/HrYO4EpxBpjI=:h/wxzCcd7Y2vXz3cntPdIAOeZbs/Hj/2k/DuWYw+vDQ=",
        ),
        (
            "e\u{301}\u{7}",
            "SCRAM-SHA-256$4096:yq/w/vuw4seDEcZRZhkyPQ==$d0lpWDb/Xw37dtErKNptCkZEL95JWPklhfnjwX/XBjo=:ugT0ShE3B5x6vMu3nlt8zdqCr9FCapLC+EsvDk7LvM4=",
        ),
    ];

    #[test]
    fn postgresql_makes_the_same_verifier() {
        for (password, theirs) in BY_POSTGRESQL {
            let (salt, iterations, _) = parsed(theirs).unwrap();
            let ours = verifier(password, salt.try_into().unwrap(), iterations);
            assert_eq!(ours, theirs, "{}", password.escape_unicode());
            assert!(matches(theirs, password));
            assert!(!matches(theirs, &format!("{password} ")));
        }
        assert!(matches(BY_POSTGRESQL[1].1, "IX é fi"), "the prepared form is the same password");
    }

    #[test]
    fn what_is_no_verifier_matches_nothing() {
        let good = verifier("secret", [7; 16], 1);
        for bad in
            ["", "secret", "md5d41d8cd98f00b204e9800998ecf8427e", "SCRAM-SHA-256$0:AAAA$AAAA:AAAA", &good[..good.len() - 4]]
        {
            assert!(!matches(bad, "secret"), "{bad:?}");
        }
        assert!(matches(&good, "secret"));
    }

    proptest! {
        #[test]
        fn only_the_password_matches(password in "[^\0]*", other in "[!-~]*", salt: [u8; 16]) {
            let verifier = verifier(&password, salt, 2);
            prop_assert!(matches(&verifier, &password));
            prop_assert_eq!(matches(&verifier, &other), password == other);
        }
    }
}
