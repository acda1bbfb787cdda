//! pgpool's administration account: its md5 for the server, its password for our own commands.

use super::quote;
use crate::spec::Secret;

/// `pcp.conf`: pgpool stores an unsalted md5, so the file is as secret as the password.
pub fn pcp_conf(user: &str, password: &Secret) -> anyhow::Result<String> {
    Ok(format!("{}\n", quote::pcp_conf_line(user, password.expose())?))
}

/// `.pcppass`, for the port of `pgpool.conf`: by TCP, and by the socket directory of `pgpool.conf`
/// (`PasswordFromFile` compares the directory as if it were a host name).
pub fn pcppass(user: &str, password: &Secret) -> anyhow::Result<String> {
    let mut body = String::new();
    for host in ["localhost", "127.0.0.1", "/run/pgpool"] {
        body.push_str(&quote::pcppass_line(host, "9898", user, password.expose())?);
        body.push('\n');
    }
    Ok(body)
}
