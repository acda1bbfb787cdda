//! What the container may use: memory limit and processors.

use std::fs;

/// Bytes that the cgroup allows; none = no limit known. cgroup v2 first, then v1.
pub fn read_memory_limit_bytes() -> Option<u64> {
    let read = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let limit = read("/sys/fs/cgroup/memory.max").or_else(|| read("/sys/fs/cgroup/memory/memory.limit_in_bytes"))?;
    // cgroup v1 says "no limit" with a number near 2^63.
    (limit < 1 << 50).then_some(limit)
}

/// Processors this process may use, at least 1.
pub fn read_cpus() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| n.get() as u32)
}

/// The container's host name.
pub fn read_host_name() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
