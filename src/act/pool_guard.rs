//! Keeps any one process of pgpool from removing what all of them share.
//!
//! Its main process forks a new child with signals unblocked, and only the child lets go of the main process's exit handlers
//! (`check_requests`, `reaper` and `fork_a_child` in pgpool2, src/main/pgpool_main.c). A failover that comes in between tells the child to
//! end, which happens on a busy machine when two nodes go one after the other, or one right after an attachment: it then removes the
//! semaphores, the sockets and the pid file of all, and logs "system_will_go_down called from invalid process". So the kernel refuses
//! to remove semaphores, to the main process too when it ends, and the container's end takes them away; and files get their names back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nix::libc;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, apply_filter,
};

use crate::observe::pool::SOCKET_DIR;
use crate::pcp;

/// From here on neither this process nor what it becomes or forks can remove semaphores.
pub fn keep_semaphores() -> anyhow::Result<()> {
    // The third argument of semctl(2) is the command; a bit above it may say which structures the caller knows.
    let removes = SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(0xff), libc::IPC_RMID as u64)?;
    let refused = BTreeMap::from([(libc::SYS_semctl, vec![SeccompRule::new(vec![removes])?])]);
    let refuse = SeccompAction::Errno(libc::EPERM as u32);
    let filter = SeccompFilter::new(refused, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?;
    Ok(apply_filter(&BpfProgram::try_from(filter)?)?)
}

/// Gives the sockets and the pid file a second name each, once they are there, and their own back when they lost it. One line for each.
pub fn keep_files(port: u16) -> Vec<String> {
    files(port).iter().filter_map(|(file, second)| keep(file, second)).collect()
}

fn keep(file: &str, second: &str) -> Option<String> {
    match (Path::new(file).exists(), Path::new(second).exists()) {
        (true, false) => fs::hard_link(file, second).err().map(|error| format!("{file} is not guarded: {error}")),
        (false, true) => Some(match fs::hard_link(second, file) {
            Ok(()) => format!("put {file} back"),
            Err(error) => format!("put {file} back: {error}"),
        }),
        (true, true) | (false, false) => None,
    }
}

/// What an earlier pgpool left: it would be taken for this one's.
pub fn forget_files(port: u16) {
    for (file, second) in files(port) {
        let _ = fs::remove_file(file);
        let _ = fs::remove_file(second);
    }
}

/// Each with its second name.
fn files(port: u16) -> [(String, String); 3] {
    let files = [format!("{SOCKET_DIR}/.s.PGSQL.{port}"), pcp::SOCKET.into(), format!("{SOCKET_DIR}/pgpool.pid")];
    files.map(|file| (file.clone(), format!("{file}.guarded")))
}
