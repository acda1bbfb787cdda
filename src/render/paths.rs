//! Where generated files live. Templates repeat these paths in clear text, for whoever reads them at night:
//! `tests/render` compares.

pub const POSTGRESQL_CONF: &str = "/etc/pgcluster/postgresql.conf";
pub const PG_HBA_CONF: &str = "/etc/pgcluster/pg_hba.conf";
pub const PG_IDENT_CONF: &str = "/etc/pgcluster/pg_ident.conf";
/// tmpfs: the same path on all nodes, because `repmgr.nodes` names it for everybody.
pub const PGPASS: &str = "/run/pgcluster/pgpass";
/// This container's certificate, as the server uses it.
pub const TLS_CERT: &str = "/run/pgcluster/tls.crt";
/// Its copy of the authority (`TLS_CA_FILE`): the same path on all nodes, because connection strings name it for everybody.
pub const TLS_CA: &str = "/run/pgcluster/tls.ca";

pub const PGPOOL_CONF: &str = "/etc/pgpool-II/pgpool.conf";
pub const POOL_HBA_CONF: &str = "/etc/pgpool-II/pool_hba.conf";
/// Names of the roles in pool_passwd, included by pool_hba.conf.
pub const KNOWN_USERS: &str = "/etc/pgpool-II/known_users";
pub const POOL_PASSWD: &str = "/etc/pgpool-II/pool_passwd";
pub const PCP_CONF: &str = "/etc/pgpool-II/pcp.conf";
/// pgpool looks for it beside pgpool.conf (`SetPgpoolNodeId` in pool_config_variables.c).
pub const PGPOOL_NODE_ID: &str = "/etc/pgpool-II/pgpool_node_id";
/// In `work_dir` (before 4.7 `logdir`).
pub const PGPOOL_STATUS: &str = "/run/pgpool/pgpool_status";
/// What `PGPOOLKEYFILE` must point to.
pub const PGPOOL_KEY: &str = "/run/pgcluster/pgpool_key";
/// What `PCPPASSFILE` must point to.
pub const PCPPASS: &str = "/run/pgcluster/pcppass";

/// tmpfs: when the health check of this container ran last, in seconds since the machine started.
pub const HEALTH_RAN: &str = "/run/pgcluster/health_ran";

/// Files whose content nobody is shown.
pub const HOLD_SECRETS: [&str; 5] = [PGPASS, POOL_PASSWD, PCP_CONF, PGPOOL_KEY, PCPPASS];

/// Our binary, as the servers call it.
pub const PGCLUSTER: &str = "/usr/local/bin/pgcluster";

/// repmgr looks here, and in `/etc/repmgr.conf`, which the image links to it.
pub fn repmgr_conf(major: u32) -> String {
    format!("/etc/repmgr/{major}/repmgr.conf")
}

/// Debian's place for a major version's programs.
pub fn bin_dir(major: u32) -> String {
    format!("/usr/lib/postgresql/{major}/bin")
}
