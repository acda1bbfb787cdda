//! I/O in: what is there. Asks and reads, never writes, never decides.

pub mod certificates;
pub mod control_file;
pub mod data_dir;
pub mod details;
pub mod disk;
pub mod doctor;
pub mod environment;
pub mod events;
pub mod here;
pub mod host;
pub mod logins;
pub mod passwords;
pub mod peer;
pub mod pool;
pub mod pool_processes;
pub mod processes;
pub mod readiness;
pub mod sockets;
pub mod tools;
pub mod wal;
