//! I/O out: one function per deed, no decisions.
//!
//! Everything here runs on tokio's `current_thread` runtime and spawns no thread that outlives the call: the process is PID 1 until it
//! execs the server, and what is left over then becomes the server's problem.

pub mod archive;
pub mod bootstrap_order;
mod capture;
pub mod clone;
pub mod command;
pub mod configuration;
pub mod depose;
pub mod exec;
pub mod fault_point;
pub mod fence;
pub mod file;
mod group;
pub mod heal;
pub mod heal_pool;
pub mod init_scripts;
pub mod initdb;
pub mod kept;
pub mod leak;
pub mod lock;
pub mod marker;
pub mod memory;
pub mod nudge;
pub mod operation;
pub mod pause;
pub mod pcp;
pub mod pool;
pub mod pool_follow;
pub mod pool_login;
pub mod pool_patience;
pub mod pool_pulse;
pub mod promote;
pub mod provision;
pub mod recovery;
pub mod register;
pub mod rewind;
pub mod running;
pub mod sever;
pub mod signal;
pub mod smoke;
mod spawn;
pub mod staging;
pub mod standby;
pub mod start;
pub mod superseded;
pub mod switchover;
pub mod temporary_server;
pub mod tls;
pub mod tree;
pub mod tripwire;
pub mod upkeep;
pub mod user;
pub mod waiting_room;
pub mod workplace;
