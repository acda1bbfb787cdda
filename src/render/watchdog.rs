//! The watchdog band of `pgpool.conf`: several pgpools that agree on who holds the virtual address.

use std::net::IpAddr;

use anyhow::Context as _;
use serde::Serialize;

use super::check_role::watchdog_key;
use super::pgpool_names::key;
use crate::spec::{PgpoolSpec, Watchdog, WatchdogMember};

/// All texts are empty when there is no watchdog.
#[derive(Default, Serialize)]
pub struct WatchdogBand {
    on: bool,
    /// pgpool 4.6 may be one whose heartbeat receiver binds to loopback (pgpool2 f0d0abb4c, in 4.6.3).
    deaf: bool,
    members: Vec<Member>,
    authkey: String,
    trusted_servers: String,
    delegate_ip_key: &'static str,
    delegate_ip: String,
    if_up_cmd: String,
    if_down_cmd: String,
    arping_cmd: String,
}

#[derive(Serialize)]
struct Member {
    number: u32,
    host: String,
    pgpool_port: u16,
    watchdog_port: u16,
    heartbeat_host: String,
    heartbeat_port: u16,
}

pub fn watchdog_band(spec: &PgpoolSpec, version: (u32, u32)) -> anyhow::Result<WatchdogBand> {
    let Some(watchdog) = &spec.watchdog else { return Ok(WatchdogBand::default()) };
    let repmgr = spec.cluster.repmgr_password.as_ref().context("the watchdog needs REPMGRPWD: its key derives from it")?;
    Ok(WatchdogBand {
        on: true,
        deaf: version == (4, 6),
        members: watchdog.members.iter().map(member).collect(),
        authkey: watchdog_key(repmgr).expose().to_owned(),
        trusted_servers: watchdog.trusted_servers.join(","),
        delegate_ip_key: key("delegate_ip", version),
        ..address(watchdog)
    })
}

fn member(member: &WatchdogMember) -> Member {
    Member {
        number: member.number,
        host: member.host.clone(),
        pgpool_port: member.pgpool_port,
        watchdog_port: member.watchdog_port,
        heartbeat_host: member.heartbeat_host.clone(),
        heartbeat_port: member.heartbeat_port,
    }
}

/// One address and no route (/32, /128), so it works in any container network. `$_IP_$` is pgpool's placeholder; a command
/// that starts with `/` needs no `if_cmd_path` and no setuid check (`src/watchdog/wd_utils.c`).
fn address(watchdog: &Watchdog) -> WatchdogBand {
    let Some(ip) = watchdog.delegate_ip else { return WatchdogBand::default() };
    let (bits, arping) = match ip {
        IpAddr::V4(_) => (32, "/usr/bin/arping -U $_IP_$ -w 1 -I eth0"),
        // Neighbour discovery needs no announcement of ours: the kernel sends it.
        IpAddr::V6(_) => (128, "/bin/true"),
    };
    WatchdogBand {
        delegate_ip: ip.to_string(),
        if_up_cmd: format!("/sbin/ip addr add $_IP_$/{bits} dev eth0"),
        if_down_cmd: format!("/sbin/ip addr del $_IP_$/{bits} dev eth0"),
        arping_cmd: arping.to_owned(),
        ..WatchdogBand::default()
    }
}
