//! What a reload changes, in words: which parameters, which passwords.

use std::collections::{BTreeMap, BTreeSet};

use crate::spec::{ClusterSpec, RolePassword, Service};

/// Names of the parameters whose line differs between two texts of `name = value` lines; the last line of a name counts.
pub fn parameters(old: &str, new: &str) -> Vec<String> {
    let (old, new) = (settings(old), settings(new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    names.into_iter().filter(|name| old.get(name) != new.get(name)).map(String::from).collect()
}

fn settings(text: &str) -> BTreeMap<&str, &str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.trim(), value.trim())).collect()
}

/// Parameters that pgpool only reads at its start (`pool_config_variables.c`, `CFGCXT_INIT`), of those that we write.
pub fn pgpool_reads_at_start(name: &str) -> bool {
    const ALL: [&str; 15] = [
        "listen_addresses",
        "port",
        "unix_socket_directories",
        "pcp_listen_addresses",
        "pcp_port",
        "pcp_socket_dir",
        "num_init_children",
        "max_pool",
        "reserved_connections",
        "pool_passwd",
        "use_watchdog",
        "wd_authkey",
        "wd_priority",
        "delegate_ip",
        "memory_cache_enabled",
    ];
    ALL.contains(&name) || name.starts_with("ssl")
}

/// Whose password is another one: roles of the cluster and of its services.
pub fn passwords(old: &ClusterSpec, new: &ClusterSpec) -> Vec<String> {
    let repmgr = (old.wanted_password() != new.wanted_password()).then(|| "repmgr".to_owned());
    let before = |name: &str| old.services.iter().find(|service| service.name == name);
    let changed = |service: &Service| {
        let before = before(&service.name);
        let is_other = |now: &RolePassword, then: fn(&Service) -> &RolePassword| before.map(then) != Some(now);
        let owner = is_other(&service.owner_password, |service| &service.owner_password).then(|| service.owner());
        let user = is_other(&service.user_password, |service| &service.user_password).then(|| service.user());
        owner.into_iter().chain(user).collect::<Vec<_>>()
    };
    repmgr.into_iter().chain(new.services.iter().flat_map(changed)).collect()
}

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn only_parameters_that_differ_are_named() {
        let old = "# a = 1\nport = 5432\nwork_mem = '4MB'\ngone = on\n";
        let new = "# a = 2\nport = 5432\nwork_mem = '4MB'\nwork_mem = '8MB'\nfresh = 1\n";
        assert_eq!(parameters(old, new), ["fresh", "gone", "work_mem"]);
        assert!(parameters(new, new).is_empty());
    }
}
