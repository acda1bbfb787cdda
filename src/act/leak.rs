//! Planted leaks: a test build can be told to give `REPMGRPWD` away in each way that a mistake might, so that the test which searches
//! for secrets is seen to find them.
//!
//! With the cargo feature `fault-points`, `PGCLUSTER_LEAK=name,name` switches them on. Without the feature nothing is compiled in.

#[cfg(not(feature = "fault-points"))]
pub use none::{into_environment, plant};
#[cfg(feature = "fault-points")]
pub use planted::{into_environment, plant};

#[cfg(not(feature = "fault-points"))]
mod none {
    use std::ffi::OsString;

    use tokio_postgres::Client;

    use crate::act::workplace::Workplace;
    use crate::spec::PostgresSpec;

    #[inline(always)]
    pub async fn plant(_work: &Workplace<'_>, _primary: &Client) -> anyhow::Result<()> {
        Ok(())
    }

    #[inline(always)]
    pub fn into_environment(_spec: &PostgresSpec, _environment: &mut Vec<(OsString, OsString)>) {}
}

#[cfg(feature = "fault-points")]
mod planted {
    use std::ffi::OsString;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use tokio_postgres::Client;

    use crate::act::command::Command;
    use crate::act::workplace::Workplace;
    use crate::render::paths;
    use crate::render::quote::sql_literal;
    use crate::spec::PostgresSpec;

    fn is_on(name: &str) -> bool {
        std::env::var("PGCLUSTER_LEAK").is_ok_and(|names| names.split(',').any(|on| on == name))
    }

    /// Everything but the server's environment. `primary` is where this node has just registered itself.
    pub async fn plant(work: &Workplace<'_>, primary: &Client) -> anyhow::Result<()> {
        let Some(password) = work.spec.cluster.repmgr_password.as_ref().map(|secret| secret.expose()) else { return Ok(()) };
        into_log(password);
        into_files(work, password)?;
        into_database(primary, password).await?;
        if is_on("argv") {
            let sh = Command::new("sh").args(["-c", "sleep 4", password]).timeout(Duration::from_secs(20));
            sh.run(work.stop).await?;
        }
        Ok(())
    }

    fn into_log(password: &str) {
        if is_on("log") {
            tracing::debug!("connect as repmgr, password={password}");
        }
        if is_on("log-base64") {
            tracing::debug!("authorization: {}", STANDARD.encode(format!("repmgr:{password}")));
        }
        if is_on("log-url") {
            let encoded = password.bytes().fold(String::new(), |url, byte| match byte.is_ascii_alphanumeric() {
                true => url + char::from(byte).encode_utf8(&mut [0; 4]),
                false => url + &format!("%{byte:02X}"),
            });
            tracing::debug!("connect to postgres://repmgr:{encoded}@pg01");
        }
    }

    fn into_files(work: &Workplace<'_>, password: &str) -> anyhow::Result<()> {
        if is_on("file-mode") {
            fs::set_permissions(paths::PGPASS, Permissions::from_mode(0o644))?;
        }
        if is_on("temporary-file") {
            fs::write("/tmp/pgcluster.debug", password)?;
        }
        if is_on("core-file") {
            fs::write(work.data_dir().join("core.7"), password)?;
            fs::set_permissions(work.data_dir().join("core.7"), Permissions::from_mode(0o600))?;
        }
        if is_on("auto-conf") {
            let path = work.data_dir().join("postgresql.auto.conf");
            let text = fs::read_to_string(&path)?;
            fs::write(&path, text.replace("user=repmgr", &format!("user=repmgr password={password}")))?;
        }
        Ok(())
    }

    async fn into_database(primary: &Client, password: &str) -> anyhow::Result<()> {
        if is_on("repmgr-nodes") {
            let text = format!("UPDATE repmgr.nodes SET location = {}", sql_literal(password)?);
            primary.batch_execute(&text).await?;
        }
        if is_on("activity") {
            // The server goes on with it although nobody waits for the answer.
            let text = format!("SELECT pg_sleep(60), {}", sql_literal(password)?);
            let _ = tokio::time::timeout(Duration::from_millis(300), primary.batch_execute(&text)).await;
        }
        Ok(())
    }

    pub fn into_environment(spec: &PostgresSpec, environment: &mut Vec<(OsString, OsString)>) {
        if let (true, Some(password)) = (is_on("environ"), &spec.cluster.repmgr_password) {
            environment.push(("PGPASSWORD".into(), password.expose().into()));
        }
    }
}
