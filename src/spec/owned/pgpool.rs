//! What pgcluster owns of pgpool.conf.

use super::{Limit, Owned};

/// One reason for several parameters.
macro_rules! owned {
    ($([$($name:literal),+] $reason:literal => $instead:literal;)+) => {
        /// Parameters of pgpool that are refused, and why. A number behind a name (`backend_weight0`) does not count.
        pub const OWNED_PGPOOL: &[Owned] =
            &[$($(Owned { name: $name, limit: Limit::Whole, reason: $reason, instead: $instead },)+)+];
    };
}

owned! {
["backend_hostname", "backend_port", "backend_weight", "backend_data_directory", "backend_flag", "backend_application_name"]
    "describes a node" => "give it in PG_BACKEND_NODE_LIST: number:host:port:weight:data dir:flag";
["backend_clustering_mode", "replication_mode"]
    "is streaming replication" => "leave it alone";
["listen_addresses", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions", "socket_dir"]
    "has to fit the health check" => "publish ports in compose, and limit clients with POOL_CLIENT_NETWORKS";
["port"]
    "is the front door" => "set PGPOOL_PORT";
["pcp_listen_addresses", "pcp_port", "pcp_socket_dir"]
    "is a control channel without TLS" => "use `docker exec … pgcluster status`; healthy nodes are attached by the health check";
["pool_passwd", "enable_pool_hba"]
    "is rebuilt at every start from the passwords of all roles" => "set MSLIST and its password lists";
["allow_clear_text_frontend_auth"]
    "decides what happens to roles whose password is unknown" => "set POOL_UNKNOWN_USERS";
["failover_command", "failback_command", "follow_primary_command", "follow_master_command"]
    "is where pgcluster decides who is primary" => "set FAILOVER_MODE";
["search_primary_node_timeout"]
    "is 1: the failover command returns only when there is a primary" => "set SEARCH_PRIMARY for the start of pgpool";
["auto_failback", "auto_failback_interval", "detach_false_primary"]
    "would let pgpool attach and detach nodes behind the health check" => "leave it alone: healthy nodes come back by themselves";
["sr_check_user", "sr_check_password", "sr_check_database", "health_check_user", "health_check_password", "health_check_database"]
    "is the role pgpool, whose password comes from REPMGRPWD" => "set REPMGRPWD";
["recovery_user", "recovery_password", "recovery_database", "recovery_1st_stage_command", "recovery_2nd_stage_command"]
    "belongs to pgpool's online recovery, which containers do not need" => "restart the container: it clones or rewinds itself";
["memory_cache_enabled"]
    "lets users read each other's cached results (CVE-2024-45624)" => "cache in the application";
["logdir", "work_dir", "pid_file_name", "wd_ipc_socket_dir"]
    "lives in memory and is prepared at every start" => "leave it alone";
["logging_collector", "log_directory", "log_filename", "log_file_mode", "log_destination", "syslog_facility", "syslog_ident"]
    "belongs to log files, and messages go to the container's log" => "use the log driver of Docker";
["ssl", "ssl_cert", "ssl_key", "ssl_ca_cert", "ssl_ca_cert_dir", "ssl_crl_file", "ssl_passphrase_command"]
    "is set up at every start" => "set TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE";
["use_watchdog", "hostname", "wd_port", "pgpool_port", "heartbeat_hostname", "heartbeat_port", "wd_listen_address", "wd_listen_port"]
    "has to be the same on all pgpools" => "set PGP_OTHERS and PGP_HEARTBEATS";
["wd_heartbeat_listen_addresses", "wd_heartbeat_listen_port"]
    "has to fit the heartbeats of the other pgpools" => "set PGP_HEARTBEATS";
["wd_authkey"]
    "has to be the same on all pgpools and nobody else's" => "leave it alone: pgcluster makes it from REPMGRPWD";
["wd_lifecheck_method", "wd_lifecheck_user", "wd_lifecheck_password", "wd_lifecheck_dbname", "wd_lifecheck_query"]
    "is the heartbeat: a check by query shows its password (CVE-2023-22332)" => "leave it alone";
["delegate_ip"]
    "is the watchdog's address" => "set DELEGATE_IP";
["trusted_servers"]
    "tells a lost network from a lost peer" => "set TRUSTED_SERVERS";
}
