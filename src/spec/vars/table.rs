//! The one table of variables: it feeds the reference, the typing check, the defaults and `pgcluster env`.

use super::{Images, Preset, Secrecy, Section, Var};

/// `section { "NAME" ["ALIAS", …] image secrecy preset("text"): "meaning"; … }`
macro_rules! vars {
    ($($section:ident { $(
        $name:literal $([$($alias:literal),+])? $image:ident $secrecy:ident $preset:ident $(($text:literal))? : $doc:literal;
    )+ })+) => {
        /// Every variable that pgcluster knows, in the order in which messages and the reference name them.
        pub const VARS: &[Var] = &[$($(Var {
            name: $name,
            aliases: &[$($($alias),+)?],
            section: Section::$section,
            images: Images::$image,
            secrecy: Secrecy::$secrecy,
            preset: Preset::$preset $(($text))?,
            doc: $doc,
        },)+)+];
    };
}

vars! {
Cluster {
    "PG_BACKEND_NODE_LIST" Both Open Unset:
        "The data nodes: csv of `number:host[:port[:weight[:data dir[:flag]]]]`, numbers from 0; unset = a single node.";
    "PGMASTER_NODE_NAME" ["PG_MASTER_NODE_NAME", "PGMASTER"] Both Open From("number 0"):
        "The only node that may run initdb; a hint without weight once data exists. pgpool without a node list: the one backend.";
    "REPLICATION_MODE" Both Open Text("auto"): "`sync`, `async`, or `auto`: sync from three nodes on.";
    "FAILOVER_MODE" Both Open Text("auto"): "Who promotes: `auto` (or `automatic`) pgcluster, `manual` an operator, `repmgrd`.";
    "FAILOVER_AFTER" Both Open Text("10s"): "How long no primary may be seen before a standby's health check acts.";
}
Node {
    "NODE_NAME" Postgres Open From("host name"): "This node's name in `PG_BACKEND_NODE_LIST`.";
    "NODE_ID" Postgres Open Unset: "The same as a repmgr node id, which is pgpool's number + 1.";
    "PG_MAJOR" Both Open Text("17"): "Major version of PostgreSQL; set by the image.";
    "PGDATA" Both Open From("`/u01/pg<major>/data`"): "The data directory; the volume is its parent.";
}
Passwords {
    "REPMGRPWD" Both Secret Unset: "Password of the superuser `repmgr`; required with a node list and by pgpool. It equals a shell in the database containers.";
    "REPMGRPWD_PREVIOUS" Both Secret Unset: "While `REPMGRPWD` changes: the one before it, which the servers take until all containers know the new one.";
    "POSTGRES_PASSWORD" Postgres Secret From("`REPMGRPWD`"): "Password of `POSTGRES_USER`.";
}
Server {
    "POSTGRES_USER" Postgres Open Text("postgres"): "The superuser that initdb creates.";
    "POSTGRES_DB" Postgres Open From("`POSTGRES_USER`"): "A database created at initdb.";
    "POSTGRES_INITDB_ARGS" Postgres Open Unset: "More arguments for initdb, quoted as for a shell. They win over ours, which are PostgreSQL's defaults but for UTF8, data checksums and WAL segments of 4 MB: clients wait while a promotion copies one.";
    "POSTGRES_INITDB_WALDIR" Postgres Open Unset: "Directory for the WAL, outside of the data directory.";
    "POSTGRES_HOST_AUTH_METHOD" Postgres Open Text("scram-sha-256"): "Single node only: `scram-sha-256`, `md5`, `password` or `trust`.";
    "PG_CLIENT_NETWORKS" Postgres Open From("`samenet`; single node: `all`"): "Where clients of the databases may come from: csv of networks, `samenet`, `samehost`, `all`.";
    "PG_TUNE" Postgres Open Text("auto"): "`auto`: memory settings from the container's memory limit; `off`.";
    "ARCHIVE_DIR" Postgres Open Unset: "Directory of the WAL archive, shared by all nodes; unset = no archive.";
}
Services {
    "PG_DATABASE" Both Open Text("phoenix"): "The database of the services.";
    "MSLIST" Both Open Unset: "The services: csv or JSON array of names; each gets the roles `<name>_owner` and `<name>_user` and a schema.";
    "MSOWNERPWDLIST" Both Secret From("see `MS_DEFAULT_PASSWORDS`"): "Passwords of the owners, in the order of `MSLIST`: csv, or a JSON array when a password has a comma.";
    "MSUSERPWDLIST" Both Secret From("see `MS_DEFAULT_PASSWORDS`"): "Passwords of the users, likewise.";
    "MS_DEFAULT_PASSWORDS" Both Open Text("generate"): "For missing lists: `generate` random ones, or `role-name` as the original did.";
}
Pgpool {
    "PGP_NODE_NAME" Pgpool Open From("host name"): "This pgpool's name.";
    "PGPOOL_PORT" ["PGPOOL_port"] Pgpool Open Text("9999"): "The port that pgpool listens on.";
    "PCP_USER" Pgpool Open Text("pgpool"): "The pcp account.";
    "PCPPWD" Pgpool Secret From("`REPMGRPWD`"): "Its password.";
    "POOL_CLIENT_NETWORKS" Pgpool Open Text("all"): "Where clients of pgpool may come from, as in `PG_CLIENT_NETWORKS`.";
    "POOL_UNKNOWN_USERS" Pgpool Open Text("tls-password"): "Roles whose password pgpool does not know: `tls-password` asks for it inside TLS, or `reject`.";
    "SEARCH_PRIMARY" Pgpool Open Text("10s"): "How long a start of pgpool looks for a primary before it decides itself.";
    "PGPOOL_VERSION" Pgpool Open Text("4.6"): "Version of pgpool-II; set by the image.";
}
Watchdog {
    "PGP_OTHERS" Pgpool Open Unset: "The other pgpools: csv of `number:host[:port]`; set = watchdog.";
    "PGP_HEARTBEATS" Pgpool Open From("number, host and 9694 of each"): "All pgpools, this one included: csv of `number:host[:port]`, the same text everywhere.";
    "DELEGATE_IP" Pgpool Open Unset: "The virtual address that the leading pgpool takes.";
    "TRUSTED_SERVERS" Pgpool Open Unset: "Hosts that tell a lost network from a lost peer: csv, no data nodes.";
}
Tls {
    "TLS_CERT_FILE" Both Open From("self-signed"): "Certificate of this container (a path).";
    "TLS_KEY_FILE" Both Open From("self-signed"): "Its key (a path).";
    "TLS_CA_FILE" Both Open Unset: "The authority that signed all nodes' certificates (a path): every connection between containers verifies them.";
}
Log {
    "LOG_FORMAT" Both Open Text("text"): "`text` or `json`.";
    "LOG_LEVEL" Both Open Text("info"): "`error`, `warn`, `info` or `debug`.";
}
Original {
    "INITIAL_NODE_TYPE" Postgres Open Unset: "`master`, `slave` or `single`: only compared with `PGMASTER_NODE_NAME`; the cluster itself says who is primary.";
    "REPMGRD_FAILOVER_MODE" Postgres Open Unset: "`manual` is accepted and changes nothing; for `automatic` set `FAILOVER_MODE=repmgrd`.";
    "ARCHIVELOG" Postgres Open Unset: "`0` no archive; `1` needs `ARCHIVE_DIR`.";
    "FAIL_OVER_ON_BACKEND_ERROR" Pgpool Open Unset: "The same as `PGPOOL_failover_on_backend_error`.";
    "CONNECTION_CACHE" Pgpool Open Unset: "The same as `PGPOOL_connection_cache`.";
    "NUM_INIT_CHILDREN" Pgpool Open Unset: "The same as `PGPOOL_num_init_children`.";
    "MAX_POOL" Pgpool Open Unset: "The same as `PGPOOL_max_pool`.";
    "LOG_STATEMENT" Pgpool Open Unset: "The same as `PGPOOL_log_statement`.";
    "DEBUG_LEVEL" Pgpool Open Unset: "`0` is accepted; else set `PGPOOL_log_min_messages=debug1`.";
}
Outside {
    "PGPOOL_PUBLISH" Compose Open Text("127.0.0.1:9999"): "Address and port of the host where the compose files publish pgpool.";
}
}
