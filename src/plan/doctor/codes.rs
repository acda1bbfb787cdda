//! What `doctor` can find besides the problems of `status`: the same kind of table, so `explain` knows these words too.

use crate::model::Weight;
use crate::plan::diagnose::codes::{Code, codes};

codes! {
NAME_UNRESOLVED = "name-unresolved" Broken:
    "Nobody reaches a node whose name has no address: its container is not running, or not in this network, or has another name."
    "start it; give it the host's name of PG_BACKEND_NODE_LIST as its name or network alias";
NAMES_COLLIDE = "names-collide" Broken:
    "Two nodes of the list are one and the same server: votes would be counted twice."
    "give every node its own host in PG_BACKEND_NODE_LIST";
NOT_EXAMINED = "not-examined" Degraded:
    "The server answers `status` and not the questions of `doctor` in time: what they look for may be there."
    "run it again when the machine is less busy; look for locks on the catalog";
LIST_DIFFERS = "list-differs" Broken:
    "Nodes that were told different lists count other votes and other standbys: elections go wrong."
    "give all containers the same PG_BACKEND_NODE_LIST and restart those that differ, standbys first";
CLOCK_SKEW = "clock-skew" Degraded:
    "Clocks differ. No election trusts a clock, but log lines, certificates and recovery to a point in time do."
    "run a time service on the hosts";
VERSION_OLD = "version-old" Degraded:
    "This PostgreSQL has holes that are known, and mended in later minor versions of its branch."
    "build or pull new images, and restart node after node, standbys first";
VERSIONS_DIFFER = "versions-differ" Degraded:
    "Nodes run different minor versions. That works during an upgrade; as a state, a failover changes the behaviour."
    "bring all nodes to the same image";
HBA_TRUST = "hba-trust" Broken:
    "pg_hba.conf lets somebody in over the network without a password."
    "use scram-sha-256 in /etc/pgcluster/hba.d";
HBA_WEAK = "hba-weak" Degraded:
    "pg_hba.conf asks for the password in clear or as md5: whoever listens or reads pg_authid can log in."
    "use scram-sha-256 in /etc/pgcluster/hba.d";
HBA_OPEN = "hba-open" Degraded:
    "pg_hba.conf accepts clients from every network."
    "name the networks: PG_CLIENT_NETWORKS, or the address in /etc/pgcluster/hba.d";
HBA_PLAIN = "hba-plain" Degraded:
    "pg_hba.conf accepts sessions without TLS: data and queries can be read on the way."
    "write hostssl in place of host in /etc/pgcluster/hba.d";
HBA_ERROR = "hba-error" Broken:
    "A line of pg_hba.conf cannot be read. A running server goes on with the old rules; its next start fails."
    "correct the file in /etc/pgcluster/hba.d";
TLS_OFF = "tls-off" Broken:
    "The server speaks no TLS, and pg_hba.conf asks for it: nodes and pgpool cannot log in."
    "`ALTER SYSTEM RESET ssl`, `SELECT pg_reload_conf()`";
AUTHORITY_ENDS = "authority-ends" Degraded:
    "The authority of TLS_CA_FILE ends within 30 days, or has ended: then no certificate that it signed is accepted any more."
    "make a new authority; give all containers both in TLS_CA_FILE, then new certificates, then the new authority alone";
CERTIFICATE_NAME = "certificate-name" Degraded:
    "The certificate is not for the host that PG_BACKEND_NODE_LIST gives this node: whoever verifies names refuses it, and with TLS_CA_FILE its start does."
    "give it a certificate with that host among its subjectAltNames";
PASSWORDS_MD5 = "passwords-md5" Degraded:
    "New passwords are stored as md5: a stolen pg_authid is as good as the passwords, and pgpool cannot use SCRAM."
    "`ALTER SYSTEM RESET password_encryption`, `SELECT pg_reload_conf()`";
ROLE_MD5 = "role-md5" Degraded:
    "A role's password is stored as md5: it cannot log in where scram-sha-256 is asked for, and the hash is as good as the password."
    "set the password again: `\\password ROLE` in psql";
SUPERUSER_EXTRA = "superuser-extra" Degraded:
    "A superuser has a shell in the database containers and can change who is primary. Only postgres and repmgr need to be one."
    "`ALTER ROLE … NOSUPERUSER`";
STATEMENTS_LOGGED = "statements-logged" Degraded:
    "log_statement writes ALTER ROLE … PASSWORD with the password into the container's log."
    "`ALTER SYSTEM RESET log_statement` or take PGCONF_log_statement away; pgaudit can leave passwords out";
FSYNC_OFF = "fsync-off" Broken:
    "fsync or full_page_writes is off: a crash of the machine destroys data, on this node and, by WAL, on those that follow."
    "`ALTER SYSTEM RESET` both, `SELECT pg_reload_conf()`";
COMMIT_NOT_SYNC = "commit-not-sync" Broken:
    "REPLICATION_MODE is sync, and synchronous_commit lets commits return before a standby has them: a failover loses them."
    "`ALTER SYSTEM RESET synchronous_commit`, `SELECT pg_reload_conf()`; weaken it for single roles or transactions only";
SYNC_NAMES = "sync-names" Broken:
    "The primary waits for nobody although REPLICATION_MODE is sync: a failover loses commits."
    "`ALTER SYSTEM RESET synchronous_standby_names`, `SELECT pg_reload_conf()`";
CRASH_RESTART = "crash-restart" Broken:
    "restart_after_crash is on: a server that crashed serves again without asking who is primary by then."
    "`ALTER SYSTEM RESET restart_after_crash`, `SELECT pg_reload_conf()`";
SILENCE_UNSEEN = "silence-unseen" Broken:
    "Without wal_sender_timeout and wal_receiver_timeout a frozen primary counts as alive, and is never replaced."
    "`ALTER SYSTEM RESET` both, `SELECT pg_reload_conf()`";
NO_REWIND = "no-rewind" Degraded:
    "Neither data checksums nor wal_log_hints: a former primary cannot be rewound and must be copied whole."
    "`ALTER SYSTEM RESET wal_log_hints` and restart the node";
NO_CHECKSUMS = "no-checksums" Notice:
    "Without data checksums a disk's errors are found late, when they have been copied."
    "`pg_checksums --enable` on a stopped node, then clone the others";
STANDBY_SMALLER = "standby-smaller" Degraded:
    "A standby allows fewer connections, workers or locks than its primary: replay stops, and a promotion ends the server."
    "give all nodes the same PGCONF_ values and restart the standby";
PENDING_RESTART = "pending-restart" Degraded:
    "A setting was changed and waits for a restart: the node will behave differently after its next one."
    "restart the node when it suits you, or `ALTER SYSTEM RESET` the setting and reload";
SETTING_ERROR = "setting-error" Broken:
    "A configuration file holds a line that the server cannot take: its next start may fail."
    "correct /etc/pgcluster/conf.d or PGCONF_; for postgresql.auto.conf: `ALTER SYSTEM RESET`";
SLOT_STRANGER = "slot-stranger" Degraded:
    "A replication slot that nobody uses, and that is not ours: it keeps WAL until the disk or max_slot_wal_keep_size is full."
    "`SELECT pg_drop_replication_slot('…')` if its consumer is gone";
SLOT_LOST = "slot-lost" Degraded:
    "WAL that this slot's consumer still needs is gone: it cannot go on and must be copied anew."
    "a node of ours copies the primary at its next start; of others drop the slot";
SLOT_UNBOUNDED = "slot-unbounded" Degraded:
    "max_slot_wal_keep_size has no limit: one standby that stays away fills the primary's disk and stops everybody."
    "`ALTER SYSTEM RESET max_slot_wal_keep_size`, `SELECT pg_reload_conf()`";
ARCHIVE_FAILS = "archive-fails" Degraded:
    "The last WAL segment could not be archived: WAL is kept until the disk is full, and the archive has a hole."
    "look at the server's log and at the room in ARCHIVE_DIR";
COLLATION_CHANGED = "collation-changed" Degraded:
    "The C library sorts differently from when the database was made: indexes on text may miss rows."
    "`REINDEX DATABASE …`, then `ALTER DATABASE … REFRESH COLLATION VERSION`";
WRAPAROUND = "wraparound" Degraded:
    "Old transactions were not frozen for long: at 2 billion the server takes no more writes."
    "find what holds autovacuum back: long transactions, prepared ones, slots with an xmin";
SESSIONS_FULL = "sessions-full" Degraded:
    "More than nine in ten connections are in use: clients will be refused soon."
    "look for idle sessions in pg_stat_activity; raise PGCONF_max_connections on all nodes";
NO_INIT = "no-init" Degraded:
    "The server is process 1 and inherits orphans: one that ends with a bad code makes PostgreSQL take it for a crashed backend and reset all sessions."
    "`init: true` in the compose file (`docker run --init`)";
ORPHANS = "orphans" Degraded:
    "Processes that lost their parent hang on process 1: they hold memory, and where the server is process 1 itself, one that ends with a bad code makes it reset all sessions."
    "look for who leaves them behind (`docker exec`, a health check that starts programs and is killed), end them, or restart the container";
HEALTH_SILENT = "health-silent" Broken:
    "The health check of this container has not run for a minute. It is what follows a new primary, ends an old one, and promotes when nobody else does."
    "take `healthcheck: disable: true` (`--no-healthcheck`) away; look for a Docker daemon that hangs";
SHM_SMALL = "shm-small" Degraded:
    "/dev/shm is small: parallel queries and index builds fail with `could not resize shared memory segment`."
    "`shm_size: 256m` in the compose file";
DISK_LOW = "disk-low" Broken:
    "Less than a tenth of the volume is free. A full one stops the server, and a standby's is full soon after."
    "make room or grow the volume; look for slots and archive failures that keep WAL";
WAL_ROOM = "wal-room" Degraded:
    "A standby that stays away may keep max_slot_wal_keep_size of WAL, and the volume has less than that free."
    "grow the volume, or lower PGCONF_max_slot_wal_keep_size";
SECRET_IN_ENVIRONMENT = "secret-in-environment" Degraded:
    "A password stands in the container's environment: `docker inspect` and every process in it show it."
    "give it as NAME_FILE with a secret: REPMGRPWD_FILE=/run/secrets/repmgr_password";
FILE_MODE = "file-mode" Broken:
    "A file with secrets may be read by others than its owner."
    "restart the container, which writes it anew; look for who changes it";
POOL_VERSION_OLD = "pool-version-old" Degraded:
    "This pgpool has holes that are known, and mended in later versions."
    "build or pull a new image and restart pgpool";
POOL_LOGIN = "pool-login" Broken:
    "Role pgpool_check cannot log in through pgpool: neither can anybody else, most likely."
    "look at pgpool's log; give all containers the same REPMGRPWD";
POOL_CERTIFICATE_ENDS = "pool-certificate-ends" Degraded:
    "pgpool's certificate ends within 30 days, or has ended: clients that verify it are refused then."
    "replace the files of TLS_CERT_FILE and TLS_KEY_FILE, then restart";
POOL_TRUST = "pool-trust" Broken:
    "pool_hba.conf lets clients through without a password."
    "restart the container, which writes the file anew";
POOL_CHILDREN = "pool-children" Degraded:
    "pgpool may open more connections than a server has for clients: under load it gets `too many clients` and clients fail."
    "num_init_children × max_pool × pgpools must fit into max_connections: lower the one or raise the other";
POOL_SR_CHECK = "pool-sr-check" Degraded:
    "With pgpool's replication check on, a frozen node holds up every failover until it thaws."
    "take PGPOOL_sr_check_period away: `pgcluster status` shows the lag";
POOL_FAILBACK = "pool-failback" Degraded:
    "auto_failback attaches nodes by pgpool's own judgement, also those that do not follow the primary."
    "restart the container; the health check attaches what is well";
POOL_SLOW = "pool-slow" Degraded:
    "failover_on_backend_error is off: a dead primary is noticed by pgpool's health check only, seconds later."
    "take PGPOOL_failover_on_backend_error away and restart";
POOL_CACHE = "pool-cache" Broken:
    "pgpool's query cache shows one user rows of another (CVE-2024-45624)."
    "take PGPOOL_memory_cache_enabled away and restart";
POOL_PCP_OPEN = "pool-pcp-open" Degraded:
    "pgpool's administration port can be reached over the network: it has no TLS, and an md5 hash for a password."
    "take PGPOOL_pcp_listen_addresses away and restart";
}
