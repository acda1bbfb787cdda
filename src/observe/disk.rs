//! Room on a file system.

use std::path::Path;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes that are free for us.
    pub free: u64,
    /// Bytes of the whole file system.
    pub all: u64,
}

/// None where `path` is not there.
pub fn read_room(path: &Path) -> Option<Room> {
    let system = nix::sys::statvfs::statvfs(path).ok()?;
    let size = system.fragment_size() as u64;
    Some(Room { free: system.blocks_available() as u64 * size, all: system.blocks() as u64 * size })
}
