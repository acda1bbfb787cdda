//! Parameter names that differ between pgpool versions. An unknown name is only an INFO message to pgpool
//! (`setConfigOption` in `src/config/pool_config_variables.c`), so a wrong one means a silently missing setting.

/// (name today, name before, first version with the name of today), read from the variable tables of V4_3_5,
/// V4_4_12, V4_5_7, V4_6_7 and V4_7_2.
pub const RENAMED: [(&str, &str, (u32, u32)); 3] =
    [("unix_socket_directories", "socket_dir", (4, 4)), ("delegate_ip", "delegate_IP", (4, 4)), ("work_dir", "logdir", (4, 7))];

/// `log_pcp_processes` is new there; before, pgpool logs every pcp connection.
pub const LOG_PCP_PROCESSES_SINCE: (u32, u32) = (4, 5);

/// The version range whose variable tables were read.
pub const OLDEST: (u32, u32) = (4, 3);

/// The name that this version knows for a parameter of today.
pub fn key(today: &'static str, version: (u32, u32)) -> &'static str {
    match RENAMED.iter().find(|(name, _, since)| *name == today && version < *since) {
        Some((_, before, _)) => before,
        None => today,
    }
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn names_by_version() {
        let row = |version| ["unix_socket_directories", "delegate_ip", "work_dir", "port"].map(|name| key(name, version));
        assert_eq!(row((4, 3)), ["socket_dir", "delegate_IP", "logdir", "port"]);
        assert_eq!(row((4, 4)), ["unix_socket_directories", "delegate_ip", "logdir", "port"]);
        assert_eq!(row((4, 6)), ["unix_socket_directories", "delegate_ip", "logdir", "port"]);
        assert_eq!(row((4, 7)), ["unix_socket_directories", "delegate_ip", "work_dir", "port"]);
    }
}
