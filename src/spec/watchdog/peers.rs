//! The items of `PGP_OTHERS` and `PGP_HEARTBEATS`.

use crate::spec::values::{digits, is_host, port};
use crate::spec::violation::{Violation, Violations};

/// `number:host[:port]`.
pub(super) struct Peer {
    pub number: u32,
    pub host: String,
    /// Of pgpool, or of the heartbeat.
    pub port: Option<u16>,
}

/// csv of peers; numbers and hosts are unique.
pub(super) fn parse_peers(variable: &str, text: &str, example: &str) -> Result<Vec<Peer>, Violations> {
    let mut found = Violations::default();
    let mut peers: Vec<Peer> = Vec::new();
    for (index, item) in text.split(',').map(str::trim).enumerate() {
        let rule = match parse_peer(item) {
            Err(rule) => rule.to_owned(),
            Ok(peer) if peers.iter().any(|other| other.number == peer.number) => {
                format!("pgpool number {} is used twice", peer.number)
            }
            Ok(peer) if peers.iter().any(|other| same_host(&other.host, &peer.host)) => "this host is there twice".to_owned(),
            Ok(peer) => {
                peers.push(peer);
                continue;
            }
        };
        let rule = format!("item {} \"{}\": {rule}", index + 1, item.escape_debug());
        found.add(Violation::of(variable, text, rule, format!("write number:host[:port], for example {example}")));
    }
    found.or(Some(peers))
}

fn parse_peer(item: &str) -> Result<Peer, &'static str> {
    let fields: Vec<&str> = item.split(':').collect();
    let (number, host, port_text) = match fields[..] {
        [number, host] => (number, host, None),
        [number, host, port] => (number, host, Some(port)),
        _ => return Err("not of the form number:host[:port]"),
    };
    // MAX_WATCHDOG_NUM in pgpool's pool_config.h.
    let number = digits(number).filter(|number| *number < 128).ok_or("the number is not 0 to 127")?;
    if !is_host(host) {
        return Err("not a host name");
    }
    let port = match port_text {
        Some(text) => Some(port(text).ok_or("the port is not 1 to 65535")?),
        None => None,
    };
    Ok(Peer { number, host: host.to_owned(), port })
}

/// The host as people mean it: without Swarm's `tasks.`, in lower case.
pub(super) fn bare(host: &str) -> String {
    host.strip_prefix("tasks.").unwrap_or(host).to_ascii_lowercase()
}

pub(super) fn same_host(one: &str, other: &str) -> bool {
    bare(one) == bare(other)
}
