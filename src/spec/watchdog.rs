//! Several pgpools that watch each other: `PGP_OTHERS`, `PGP_HEARTBEATS`, `DELEGATE_IP`, `TRUSTED_SERVERS`.
//!
//! With `PGP_HEARTBEATS` its numbers hold, and those of `PGP_OTHERS` only count, as in the original. Without it the numbers of
//! `PGP_OTHERS` hold; then all pgpools must come out alike, so hosts have to be numbered in the order of their names.

use std::net::IpAddr;

use super::cluster;
use super::raw::RawEnv;
use super::types::{Node, Watchdog, WatchdogMember};
use super::values::{digits, is_host, port};
use super::violation::{Violation, Violations};

const OTHERS: &str = "PGP_OTHERS";
const HEARTBEATS: &str = "PGP_HEARTBEATS";

/// pgpool's own defaults of `pgpool_port`, `wd_port` and `heartbeat_port`.
const PGPOOL_PORT: u16 = 9999;
const WATCHDOG_PORT: u16 = 9000;
const HEARTBEAT_PORT: u16 = 9694;

/// `number:host[:port[:second port]]`.
struct Peer {
    number: u32,
    host: String,
    ports: [Option<u16>; 2],
}

/// `Some(None)` is a valid "no watchdog"; an `Err` holds all violations.
pub(super) fn watchdog(raw: &RawEnv, name: &str, pgpool_port: u16, nodes: &[Node]) -> Result<Option<Watchdog>, Violations> {
    let text = &raw.pgpool;
    let mut found = Violations::default();
    let Some(others_text) = text.pgp_others.as_deref() else {
        if !raw.is_broken(OTHERS) {
            without_others(raw).into_iter().for_each(|violation| found.add(violation));
        }
        return found.or(Some(None));
    };
    let others = found.take(parse_peers(OTHERS, others_text, 2));
    let heartbeats = text.pgp_heartbeats.as_deref().map(|text| (text, parse_peers(HEARTBEATS, text, 1)));
    let heartbeats = match heartbeats {
        Some((text, parsed)) => found.take(parsed).map(|parsed| Some((text, parsed))),
        None => Some(None),
    };
    let delegate_ip = text.delegate_ip.as_deref().and_then(|text| found.take(parse_delegate_ip(text)));
    let trusted_servers = found.take(trusted_servers(text.trusted_servers.as_deref(), nodes));
    let me = Peer { number: 0, host: name.to_owned(), ports: [Some(pgpool_port), None] };
    let members = match (others, heartbeats) {
        (Some(others), Some(Some((text, heartbeats)))) => found.take(by_heartbeats(me, others, text, heartbeats)),
        (Some(others), Some(None)) => found.take(by_others(me, others, others_text)),
        _ => None,
    };
    let watchdog = members.zip(trusted_servers).map(|((number, mut members), trusted_servers)| {
        members.sort_by_key(|member| member.number);
        Some(Watchdog { number, members, delegate_ip, trusted_servers })
    });
    found.or(watchdog)
}

/// The other variables of the watchdog make no sense alone.
fn without_others(raw: &RawEnv) -> Vec<Violation> {
    let text = &raw.pgpool;
    let given =
        [(HEARTBEATS, &text.pgp_heartbeats), ("DELEGATE_IP", &text.delegate_ip), ("TRUSTED_SERVERS", &text.trusted_servers)];
    let alone = given.into_iter().filter_map(|(variable, text)| Some((variable, text.as_deref()?)));
    let hint = "set PGP_OTHERS to the other pgpools, or unset this for a single pgpool";
    alone
        .map(|(variable, text)| Violation::of(variable, text, "only for several pgpools, and PGP_OTHERS is unset", hint))
        .collect()
}

fn parse_peers(variable: &str, text: &str, ports: usize) -> Result<Vec<Peer>, Violations> {
    let mut found = Violations::default();
    let mut peers: Vec<Peer> = Vec::new();
    for (index, item) in text.split(',').map(str::trim).enumerate() {
        let rule = match parse_peer(item, ports) {
            Err(rule) => rule,
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
        let hint = if ports == 1 {
            "write number:host[:port], for example 0:pgpool01:9694,1:pgpool02:9694"
        } else {
            "write number:host[:port], for example 0:pgpool02:9999"
        };
        found.add(Violation::of(variable, text, rule, hint));
    }
    found.or(Some(peers))
}

fn parse_peer(item: &str, ports: usize) -> Result<Peer, String> {
    let fields: Vec<&str> = item.split(':').collect();
    if fields.len() < 2 || fields.len() > 2 + ports {
        return Err(format!("{} fields instead of 2 to {}", fields.len(), 2 + ports));
    }
    // MAX_WATCHDOG_NUM in pgpool's pool_config.h.
    let number = digits(fields[0]).filter(|number| *number < 128).ok_or("the number is not 0 to 127")?;
    if !is_host(fields[1]) {
        return Err("not a host name".to_owned());
    }
    let mut peer = Peer { number, host: fields[1].to_owned(), ports: [None, None] };
    for (slot, text) in peer.ports.iter_mut().zip(&fields[2..]) {
        *slot = Some(port(text).ok_or("the port is not 1 to 65535")?);
    }
    Ok(peer)
}

fn same_host(one: &str, other: &str) -> bool {
    let bare = |host: &str| host.strip_prefix("tasks.").unwrap_or(host).to_ascii_lowercase();
    bare(one) == bare(other)
}

fn member(peer: &Peer, number: u32, heartbeat: Option<&Peer>) -> WatchdogMember {
    WatchdogMember {
        number,
        host: peer.host.clone(),
        pgpool_port: peer.ports[0].unwrap_or(PGPOOL_PORT),
        watchdog_port: peer.ports[1].unwrap_or(WATCHDOG_PORT),
        heartbeat_host: heartbeat.map_or(&peer.host, |heartbeat| &heartbeat.host).clone(),
        heartbeat_port: heartbeat.and_then(|heartbeat| heartbeat.ports[0]).unwrap_or(HEARTBEAT_PORT),
    }
}

type Members = (u32, Vec<WatchdogMember>);

fn by_heartbeats(me: Peer, others: Vec<Peer>, text: &str, heartbeats: Vec<Peer>) -> Result<Members, Violation> {
    let mut members = Vec::new();
    for peer in std::iter::once(&me).chain(&others) {
        let heartbeat = heartbeats.iter().find(|heartbeat| same_host(&heartbeat.host, &peer.host));
        let Some(heartbeat) = heartbeat else {
            let hint = "list all pgpools, this one (PGP_NODE_NAME) and those of PGP_OTHERS, with the same host names";
            return Err(Violation::of(HEARTBEATS, text, format!("{} is missing", peer.host), hint));
        };
        members.push(member(peer, heartbeat.number, Some(heartbeat)));
    }
    match heartbeats.iter().find(|heartbeat| !members.iter().any(|member| member.number == heartbeat.number)) {
        Some(stranger) => {
            let rule = format!("{} is neither this pgpool ({}) nor in PGP_OTHERS", stranger.host, me.host);
            Err(Violation::of(HEARTBEATS, text, rule, "add it to PGP_OTHERS, or remove it here"))
        }
        None => Ok((members[0].number, members)),
    }
}

fn by_others(me: Peer, others: Vec<Peer>, text: &str) -> Result<Members, Violation> {
    if others.iter().any(|other| same_host(&other.host, &me.host)) {
        let rule = format!("{} is this pgpool itself", me.host);
        return Err(Violation::of(OTHERS, text, rule, "list the other pgpools only"));
    }
    let free = (0..).find(|number| others.iter().all(|other| other.number != *number)).unwrap_or_default();
    let mut members: Vec<_> = others.iter().map(|other| member(other, other.number, None)).collect();
    members.push(member(&me, free, None));
    members.sort_by_key(|member| member.number);
    if !members.is_sorted_by(|one, next| one.host.to_ascii_lowercase() < next.host.to_ascii_lowercase()) {
        let order: Vec<_> = members.iter().map(|member| format!("{}:{}:9694", member.number, member.host)).collect();
        let rule = format!("leaves the numbers unclear: this pgpool would take {}:{}", free, me.host);
        let hint =
            format!("set PGP_HEARTBEATS to the same text on all pgpools, with every number, for example {}", order.join(","));
        return Err(Violation::of(OTHERS, text, rule, hint));
    }
    Ok((free, members))
}

fn parse_delegate_ip(text: &str) -> Result<IpAddr, Violation> {
    let address = text.trim().parse::<IpAddr>().ok();
    let usable = address.filter(|address| !address.is_unspecified() && !address.is_loopback() && !address.is_multicast());
    usable.ok_or_else(|| {
        let hint = "give a free address of the containers' network, such as 172.18.0.100";
        Violation::of("DELEGATE_IP", text, "not an address that pgpool could take", hint)
    })
}

fn trusted_servers(text: Option<&str>, nodes: &[Node]) -> Result<Vec<String>, Violation> {
    const VARIABLE: &str = "TRUSTED_SERVERS";
    let Some(text) = text else { return Ok(Vec::new()) };
    let servers: Vec<_> = text.split(',').map(str::trim).collect();
    if let Some(server) = servers.iter().find(|server| !is_host(server) && server.parse::<IpAddr>().is_err()) {
        let rule = format!("\"{}\" is not a host", server.escape_debug());
        return Err(Violation::of(VARIABLE, text, rule, "give host names or addresses, separated by commas"));
    }
    if let Some(server) = servers.iter().find(|server| cluster::find(nodes, server).is_some()) {
        let rule = format!("{server} is a data node: losing it would look like losing the network");
        return Err(Violation::of(VARIABLE, text, rule, "name hosts such as the gateway"));
    }
    Ok(servers.into_iter().map(str::to_owned).collect())
}
