//! Several pgpools that watch each other: `PGP_OTHERS`, `PGP_HEARTBEATS`, `DELEGATE_IP`, `TRUSTED_SERVERS`.
//!
//! With `PGP_HEARTBEATS` its numbers hold, and those of `PGP_OTHERS` only count, as in the original. Without it the numbers of
//! `PGP_OTHERS` hold; then all pgpools must come out alike, so hosts have to be numbered in the order of their names.

mod peers;

use std::net::IpAddr;

use super::cluster;
use super::raw::RawEnv;
use super::types::{Node, Watchdog, WatchdogMember};
use super::values::is_host;
use super::violation::{Violation, Violations};
use peers::{Peer, bare, parse_peers, same_host};

const OTHERS: &str = "PGP_OTHERS";
const HEARTBEATS: &str = "PGP_HEARTBEATS";

/// pgpool's own defaults of `wd_port` and `heartbeat_port`.
const WATCHDOG_PORT: u16 = 9000;
const HEARTBEAT_PORT: u16 = 9694;

/// Number of this pgpool, and all of them.
type Members = (u32, Vec<WatchdogMember>);

/// `Ok(None)` is a valid "no watchdog".
pub(super) fn watchdog(raw: &RawEnv, name: &str, own_port: u16, nodes: &[Node]) -> Result<Option<Watchdog>, Violations> {
    let text = &raw.pgpool;
    let mut found = Violations::default();
    let Some(others) = text.pgp_others.as_deref() else {
        if !raw.is_broken(OTHERS) {
            without_others(raw).into_iter().for_each(|violation| found.add(violation));
        }
        return found.or(Some(None));
    };
    let members = found.take(members(name, own_port, others, text.pgp_heartbeats.as_deref()));
    let delegate_ip = text.delegate_ip.as_deref().and_then(|text| found.take(delegate_ip(text)));
    let trusted_servers = found.take(trusted_servers(text.trusted_servers.as_deref(), nodes));
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

fn members(name: &str, own_port: u16, others_text: &str, heartbeats_text: Option<&str>) -> Result<Members, Violations> {
    let mut found = Violations::default();
    let others = found.take(parse_peers(OTHERS, others_text, "0:pgpool02:9999"));
    let heartbeats = match heartbeats_text {
        Some(text) => found.take(parse_peers(HEARTBEATS, text, "0:pgpool01:9694,1:pgpool02:9694")).map(Some),
        None => Some(None),
    };
    let Some((mut others, heartbeats)) = others.zip(heartbeats) else { return found.or(None) };
    if others.iter().any(|other| same_host(&other.host, name)) {
        let rule = format!("{name} is this pgpool itself");
        return Err(Violation::of(OTHERS, others_text, rule, "list the other pgpools only").into());
    }
    others.iter_mut().for_each(|other| other.port = other.port.or(Some(own_port)));
    let members = match (heartbeats, heartbeats_text) {
        (Some(heartbeats), Some(text)) => by_heartbeats(name, own_port, &others, text, &heartbeats),
        _ => by_others(name, own_port, &others, others_text),
    };
    Ok(members?)
}

/// The host names of the heartbeats hold: their text is the same on all pgpools, as the files made of it have to be.
fn by_heartbeats(name: &str, own_port: u16, others: &[Peer], text: &str, heartbeats: &[Peer]) -> Result<Members, Violation> {
    let port_of = |host: &str| match others.iter().find(|other| same_host(&other.host, host)) {
        Some(other) => Some(other.port.unwrap_or(own_port)),
        None => same_host(host, name).then_some(own_port),
    };
    let listed = |host: &str| heartbeats.iter().any(|heartbeat| same_host(&heartbeat.host, host));
    let mut hosts = std::iter::once(name).chain(others.iter().map(|other| other.host.as_str()));
    if let Some(missing) = hosts.find(|host| !listed(host)) {
        let hint = "list all pgpools, this one (PGP_NODE_NAME) and those of PGP_OTHERS, with the same host names";
        return Err(Violation::of(HEARTBEATS, text, format!("{missing} is missing"), hint));
    }
    let mut members = Vec::new();
    for heartbeat in heartbeats {
        let Some(port) = port_of(&heartbeat.host) else {
            let rule = format!("{} is neither this pgpool ({name}) nor in PGP_OTHERS", heartbeat.host);
            return Err(Violation::of(HEARTBEATS, text, rule, "add it to PGP_OTHERS, or remove it here"));
        };
        members.push(member(heartbeat.number, &heartbeat.host, port, heartbeat.port));
    }
    let number = heartbeats.iter().find(|heartbeat| same_host(&heartbeat.host, name)).map_or(0, |heartbeat| heartbeat.number);
    without_gap(HEARTBEATS, text, (number, members))
}

/// The numbers of `PGP_OTHERS`, and for this pgpool the lowest that they leave.
fn by_others(name: &str, own_port: u16, others: &[Peer], text: &str) -> Result<Members, Violation> {
    let free = (0..).find(|number| others.iter().all(|other| other.number != *number)).unwrap_or_default();
    let other_members = others.iter().map(|other| member(other.number, &other.host, other.port.unwrap_or(own_port), None));
    let mut members: Vec<_> = other_members.chain([member(free, name, own_port, None)]).collect();
    members.sort_by_key(|member| member.number);
    let by_name = |member: &WatchdogMember| bare(&member.host);
    if !members.is_sorted_by_key(by_name) {
        members.sort_by_key(by_name);
        let all: Vec<_> = members.iter().enumerate().map(|(number, member)| format!("{number}:{}:9694", member.host)).collect();
        let rule = format!("leaves the numbers unclear: this pgpool would take {free}:{name}");
        let hint = format!("set PGP_HEARTBEATS to the same text on all pgpools: {}", all.join(","));
        return Err(Violation::of(OTHERS, text, rule, hint));
    }
    without_gap(OTHERS, text, (free, members))
}

fn member(number: u32, host: &str, pgpool_port: u16, heartbeat_port: Option<u16>) -> WatchdogMember {
    WatchdogMember {
        number,
        host: host.to_owned(),
        pgpool_port,
        watchdog_port: WATCHDOG_PORT,
        heartbeat_host: host.to_owned(),
        heartbeat_port: heartbeat_port.unwrap_or(HEARTBEAT_PORT),
    }
}

fn without_gap(variable: &str, text: &str, members: Members) -> Result<Members, Violation> {
    let mut numbers: Vec<_> = members.1.iter().map(|member| member.number).collect();
    numbers.sort_unstable();
    match (0..).zip(numbers).find(|(expected, number)| expected != number) {
        None => Ok(members),
        Some((expected, _)) => {
            let rule = format!("there is no pgpool number {expected}");
            Err(Violation::of(variable, text, rule, "number all pgpools 0, 1, 2, … without a gap"))
        }
    }
}

fn delegate_ip(text: &str) -> Result<IpAddr, Violation> {
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
