//! What a pgpool container is told.

use super::cluster::{self, HostFacts};
use super::raw::RawEnv;
use super::types::{ClusterKind, Node, PgpoolSpec, UnknownUsers};
use super::values::{choice, duration, is_host, networks, number};
use super::vars::Images;
use super::violation::{Violation, Violations};
use super::{Secret, originals, password, settings, typo, watchdog};

/// The environment of a pgpool container, or everything that is wrong with it.
pub fn pgpool_spec(raw: &RawEnv, host: &HostFacts) -> Result<PgpoolSpec, Violations> {
    let mut found = Violations::default();
    raw.violations(Images::Pgpool).for_each(|violation| found.add(violation.clone()));
    typo::unknown_names(raw).into_iter().for_each(|violation| found.add(violation));
    let ground = cluster::ground(raw, &mut found);
    let nodes = match cluster::kind(raw) {
        ClusterKind::Cluster => cluster::listed_nodes(raw, &ground.data_dir, &mut found),
        ClusterKind::Standalone => found.take(one_backend(raw, &ground.data_dir)).map(|node| vec![node]),
    };
    let cluster = cluster::cluster_spec(raw, nodes, &mut found);
    let name = found.take(own_name(raw, host));
    let text = &raw.pgpool;
    let port = found.take(number(
        "PGPOOL_PORT",
        text.pgpool_port.as_deref().unwrap_or("9999"),
        1..=65_535,
        "pgpool's usual port is 9999",
    ));
    let port = port.and_then(|port| u16::try_from(port).ok());
    let pcp_user = found.take(pcp_user(text.pcp_user.as_deref().unwrap_or("pgpool")));
    let pcp_password = pcp_password(raw, &mut found);
    let words = [("tls-password", UnknownUsers::TlsPassword), ("reject", UnknownUsers::Reject)];
    let unknown = text.pool_unknown_users.as_deref().unwrap_or("tls-password");
    let unknown_users = found.take(choice("POOL_UNKNOWN_USERS", unknown, &words));
    let watchdog = match (&name, port, &cluster) {
        (Some(name), Some(port), Some(cluster)) => found.take(watchdog::watchdog(raw, name, port, &cluster.nodes)),
        _ => None,
    };
    originals::check_pgpool(raw, &mut found);
    let settings = found.take(settings::pgpool_settings(raw));
    let search = text.search_primary.as_deref().unwrap_or("10s");
    let search_primary = found.take(duration("SEARCH_PRIMARY", search, 0..=3600));
    let clients = text.pool_client_networks.as_deref().unwrap_or("all");
    let client_networks = found.take(networks("POOL_CLIENT_NETWORKS", clients));
    let spec = || {
        Some(PgpoolSpec {
            cluster: cluster?,
            name: name?,
            port: port?,
            pcp_user: pcp_user?,
            pcp_password: pcp_password?,
            unknown_users: unknown_users?,
            watchdog: watchdog?,
            settings: settings?,
            search_primary: search_primary?,
            client_networks: client_networks?,
        })
    };
    let spec = spec();
    found.or(spec)
}

/// Without a list, `PGMASTER_NODE_NAME` is the only backend.
fn one_backend(raw: &RawEnv, data_dir: &std::path::Path) -> Result<Node, Violation> {
    match raw.cluster.pgmaster_node_name.as_deref() {
        Some(host) => cluster::single_node("PGMASTER_NODE_NAME", host.trim(), data_dir),
        None => {
            let hint = "list the databases, for example 0:pg01,1:pg02,2:pg03; for a single one PGMASTER_NODE_NAME is enough";
            Err(Violation::new("PG_BACKEND_NODE_LIST", "required: pgpool needs to know its backends", hint))
        }
    }
}

fn own_name(raw: &RawEnv, host: &HostFacts) -> Result<String, Violation> {
    let name = raw.pgpool.pgp_node_name.as_deref().unwrap_or(&host.host_name).trim();
    if is_host(name) {
        Ok(name.to_owned())
    } else {
        Err(Violation::of("PGP_NODE_NAME", name, "not a host name", "use letters, digits and . _ -"))
    }
}

/// pcp.conf separates with `:`, and `.pcppass` too.
fn pcp_user(text: &str) -> Result<String, Violation> {
    if is_host(text) && text.len() <= 63 {
        Ok(text.to_owned())
    } else {
        Err(Violation::of("PCP_USER", text, "not a plain name of at most 63 bytes", "use letters, digits and . _ -"))
    }
}

/// `REPMGRPWD` is always needed: pgpool asks the backends as `repmgr`, and it is pcp's password when there is no other.
fn pcp_password(raw: &RawEnv, found: &mut Violations) -> Option<Secret> {
    if raw.cluster.repmgrpwd.is_none() && !raw.is_broken("REPMGRPWD") {
        let hint = "give all containers the same REPMGRPWD, or REPMGRPWD_FILE with a secret";
        found.add(Violation::new("REPMGRPWD", "required: pgpool logs in to the databases as repmgr", hint));
    }
    match (&raw.pgpool.pcppwd, &raw.cluster.repmgrpwd) {
        (Some(text), _) => found.take(password::secret("PCPPWD", text, password::printable)),
        (None, Some(text)) => Some(Secret::new(text)),
        (None, None) => None,
    }
}
