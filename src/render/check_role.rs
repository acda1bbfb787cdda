//! Secrets that both sides derive from `REPMGRPWD`, so that nobody has to configure them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::spec::Secret;

/// Role that pgpool's health check and primary search log in as: `LOGIN` and nothing else.
pub const CHECK_ROLE: &str = "pgpool";

/// Password of [`CHECK_ROLE`]: 44 characters of base64. It does not lead back to `REPMGRPWD`.
pub fn check_password(repmgr_password: &Secret) -> Secret {
    derive(repmgr_password, "pgcluster check role v1")
}

/// pgpool's `wd_authkey`: 44 characters of base64.
pub fn watchdog_key(repmgr_password: &Secret) -> Secret {
    derive(repmgr_password, "pgcluster watchdog v1")
}

fn derive(secret: &Secret, purpose: &str) -> Secret {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes keys of every length");
    mac.update(purpose.as_bytes());
    Secret::new(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{check_password, watchdog_key};
    use crate::spec::Secret;

    /// `printf 'pgcluster check role v1' | openssl dgst -sha256 -hmac rep123 -binary | base64`
    #[test]
    fn both_sides_derive_the_same() {
        assert_eq!(check_password(&Secret::new("rep123")).expose(), "Rb1zgfKJwWmShcNfylwLdoN1VyXJKzXQQiQMQF/5Di4=");
        assert_eq!(watchdog_key(&Secret::new("rep123")).expose(), "O5gp+JQMNSRxERPxlbL4deMVQ3lbl0AhnNJ2hHkLywo=");
    }
}
