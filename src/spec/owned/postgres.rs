//! What pgcluster owns of postgresql.conf.

use super::{Limit, Owned};

/// One reason for several parameters.
macro_rules! owned {
    ($($limit:expr, [$($name:literal),+] $reason:literal => $instead:literal;)+) => {
        /// Parameters of PostgreSQL that are refused, and why.
        pub const OWNED_POSTGRES: &[Owned] =
            &[$($(Owned { name: $name, limit: $limit, reason: $reason, instead: $instead },)+)+];
    };
}

const SWITCH: &[&str] = &["on", "true", "yes", "1"];

owned! {
Limit::Whole, ["listen_addresses", "unix_socket_directories", "unix_socket_group", "unix_socket_permissions"]
    "has to fit the other containers and the health check" => "publish ports in compose, and limit clients with PG_CLIENT_NETWORKS";
Limit::Whole, ["port"]
    "has to be what the other nodes were told" => "give the port in PG_BACKEND_NODE_LIST: 0:pg01:5433";
Limit::Whole, ["data_directory", "config_file", "hba_file", "ident_file", "external_pid_file"]
    "is a file that every start rebuilds" => "set PGDATA; put access rules into /etc/pgcluster/hba.d/*.conf";
Limit::Whole, ["include", "include_if_exists", "include_dir"]
    "is a directive, not a parameter" => "put files into /etc/pgcluster/conf.d/*.conf";
Limit::Whole, ["cluster_name"]
    "is the node's name" => "set NODE_NAME";
Limit::Whole, ["primary_conninfo", "primary_slot_name", "promote_trigger_file", "standby_mode"]
    "is this node's vote in elections" => "leave it alone: starts, promotions and the health check set it";
Limit::Whole, ["synchronous_standby_names"]
    "is computed from the number of nodes, so that no acknowledged commit is lost" => "set REPLICATION_MODE";
Limit::AmongInSyncMode(&["on", "remote_apply"]), ["synchronous_commit"]
    "would acknowledge commits that no standby has on disk" => "use on or remote_apply, set it per session or role, or set REPLICATION_MODE=async";
Limit::Among(&["replica", "logical"]), ["wal_level"]
    "has to suffice for standbys" => "use replica or logical";
Limit::Among(SWITCH), ["hot_standby"]
    "lets elections ask the standbys" => "leave it on";
Limit::Among(SWITCH), ["wal_log_hints"]
    "lets a former primary rejoin by pg_rewind" => "leave it on";
Limit::Among(SWITCH), ["full_page_writes"]
    "protects from torn pages, and pg_rewind needs it" => "leave it on";
Limit::Among(SWITCH), ["fsync"]
    "would, when off, lose acknowledged commits and corrupt data in a crash" => "leave it on; for throw-away tests of speed use PGCONF_synchronous_commit=off with REPLICATION_MODE=async";
Limit::Among(SWITCH), ["allow_alter_system"]
    "is how elections write promises and upstream pointers" => "leave it on";
Limit::Whole, ["restart_after_crash"]
    "is off, so that every crash passes through the decision who is primary" => "leave it alone: the container restarts by itself";
Limit::Whole, ["archive_mode", "archive_command", "archive_library", "restore_command", "archive_cleanup_command"]
    "belongs to the WAL archive that all nodes share" => "set ARCHIVE_DIR";
Limit::Whole, ["recovery_target*", "recovery_end_command", "recovery_min_apply_delay"]
    "would stop, delay or end recovery behind an election's back" => "restore a backup into a cluster of its own";
Limit::Among(&["scram-sha-256"]), ["password_encryption"]
    "has to fit pg_hba.conf and pgpool's pool_passwd" => "leave it at scram-sha-256";
Limit::Whole, ["ssl", "ssl_cert_file", "ssl_key_file", "ssl_ca_file", "ssl_crl_file", "ssl_crl_dir"]
    "is set up at every start" => "set TLS_CERT_FILE, TLS_KEY_FILE and TLS_CA_FILE";
Limit::Whole, ["ssl_passphrase_command", "ssl_passphrase_command_supports_reload"]
    "has nobody to ask" => "give a key without a passphrase in TLS_KEY_FILE";
Limit::Whole, ["wal_receiver_timeout", "wal_sender_timeout", "wal_receiver_status_interval", "wal_retrieve_retry_interval"]
    "makes a silent primary visible in time for an election" => "leave it alone; FAILOVER_AFTER sets the patience";
Limit::Whole, ["default_transaction_read_only", "transaction_read_only"]
    "is how a promotion keeps writers out until it is complete" => "set it per role or database";
Limit::Whole, ["pgcluster.*"]
    "holds this node's promises" => "leave it alone";
}
