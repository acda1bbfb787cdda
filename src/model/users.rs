//! What `users` says of one role of `MSLIST`.

use serde::Serialize;

/// Null = not known from here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoleReport {
    pub role: String,
    /// On the primary, with LOGIN.
    pub exists: Option<bool>,
    /// Whether the environment gives one; a generated password is known to the volume alone.
    pub has_password: bool,
    /// It logs in to the primary itself.
    pub password_right: Option<bool>,
    pub in_pool_passwd: Option<bool>,
    pub through_pgpool: Option<bool>,
    /// Why the first login failed.
    pub error: Option<String>,
}

impl RoleReport {
    pub fn is_good(&self) -> bool {
        let all = [self.exists, self.password_right, self.through_pgpool];
        let in_pool = self.in_pool_passwd != Some(false) || !self.has_password;
        in_pool && all.into_iter().all(|fact| fact != Some(false))
    }
}
