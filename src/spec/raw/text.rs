//! The texts that envy fills: one field per variable, named as the variable in lower case.

use serde::Deserialize;

/// Variables that every container reads.
#[derive(Clone, Default, PartialEq, Deserialize)]
pub struct ClusterText {
    pub pg_backend_node_list: Option<String>,
    pub pgmaster_node_name: Option<String>,
    pub replication_mode: Option<String>,
    pub failover_mode: Option<String>,
    pub failover_after: Option<String>,
    pub pg_major: Option<String>,
    pub pgdata: Option<String>,
    pub repmgrpwd: Option<String>,
    pub repmgrpwd_previous: Option<String>,
    pub pg_database: Option<String>,
    pub mslist: Option<String>,
    pub msownerpwdlist: Option<String>,
    pub msuserpwdlist: Option<String>,
    pub ms_default_passwords: Option<String>,
    pub tls_cert_file: Option<String>,
    pub tls_key_file: Option<String>,
    pub tls_ca_file: Option<String>,
    pub log_format: Option<String>,
    pub log_level: Option<String>,
}

/// Variables of the database image.
#[derive(Clone, Default, PartialEq, Deserialize)]
pub struct PostgresText {
    pub node_name: Option<String>,
    pub node_id: Option<String>,
    pub postgres_password: Option<String>,
    pub postgres_user: Option<String>,
    pub postgres_db: Option<String>,
    pub postgres_initdb_args: Option<String>,
    pub postgres_initdb_waldir: Option<String>,
    pub postgres_host_auth_method: Option<String>,
    pub pg_client_networks: Option<String>,
    pub pg_tune: Option<String>,
    pub archive_dir: Option<String>,
    pub initial_node_type: Option<String>,
    pub repmgrd_failover_mode: Option<String>,
    pub archivelog: Option<String>,
}

/// Variables of the pgpool image.
#[derive(Clone, Default, PartialEq, Deserialize)]
pub struct PgpoolText {
    pub pgp_node_name: Option<String>,
    pub pgpool_port: Option<String>,
    pub pcp_user: Option<String>,
    pub pcppwd: Option<String>,
    pub pool_client_networks: Option<String>,
    pub pool_unknown_users: Option<String>,
    pub search_primary: Option<String>,
    pub pgpool_version: Option<String>,
    pub pgp_others: Option<String>,
    pub pgp_heartbeats: Option<String>,
    pub delegate_ip: Option<String>,
    pub trusted_servers: Option<String>,
    pub fail_over_on_backend_error: Option<String>,
    pub connection_cache: Option<String>,
    pub num_init_children: Option<String>,
    pub max_pool: Option<String>,
    pub log_statement: Option<String>,
    pub debug_level: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::super::{RawEnv, Snapshot};
    use crate::spec::vars::{Images, VARS};

    #[test]
    fn every_variable_reaches_a_field() {
        let empty = RawEnv::read(&Snapshot::default());
        for var in VARS.iter().filter(|var| var.images != Images::Compose) {
            let vars = vec![(var.name.to_owned(), "a text of its own".to_owned())];
            let raw = RawEnv::read(&Snapshot { vars, ..Snapshot::default() });
            let reached = match var.images {
                Images::Both => raw.cluster != empty.cluster,
                Images::Postgres => raw.postgres != empty.postgres,
                Images::Pgpool => raw.pgpool != empty.pgpool,
                Images::Compose => true,
            };
            assert!(reached, "{} has no field", var.name);
        }
    }
}
