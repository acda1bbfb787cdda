//! I/O out: one function per deed, no decisions.
//!
//! Everything here runs on tokio's `current_thread` runtime and spawns no thread that outlives the call: the process is PID 1 until it
//! execs the server, and what is left over then becomes the server's problem.

mod capture;
pub mod command;
pub mod exec;
pub mod fault_point;
pub mod file;
mod group;
pub mod lock;
pub mod running;
pub mod signal;
mod spawn;
pub mod tree;
pub mod user;
pub mod waiting_room;
