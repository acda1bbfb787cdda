//! `PG_BACKEND_NODE_LIST`: csv of `number:host[:port[:weight[:data dir[:flag]]]]`.
//!
//! The original's form without a weight (`0:pg01:5432:/u01/pg96/data:ALLOW_TO_FAILOVER`) is told by its fourth field: a path.

use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};

use super::types::{BackendFlag, Node};
use super::values::{NAME_BYTES, digits, directory_rule, is_host, port};
use super::violation::{Violation, Violations};
use crate::model::{NodeName, NodeNumber};

const VARIABLE: &str = "PG_BACKEND_NODE_LIST";

/// PostgreSQL's port, where nothing else is said.
pub(super) const PORT: u16 = 5432;

/// MAX_NUM_BACKENDS in pgpool's libpcp_ext.h.
const MAX_NODES: usize = 128;

/// A rule and its hint; position and item are added where both are known.
type Broken = (String, &'static str);

/// Nodes sorted by number. `data_dir` is for items that give none.
pub fn parse_nodes(text: &str, data_dir: &Path) -> Result<Vec<Node>, Violations> {
    let mut found = Violations::default();
    let mut nodes = Vec::new();
    for (index, item) in text.split(',').map(str::trim).enumerate() {
        match parse_item(item, data_dir) {
            Ok(node) => nodes.push(node),
            Err((rule, hint)) => {
                let place = if item.is_empty() { String::new() } else { format!(" \"{}\":", item.escape_debug()) };
                let rule = format!("item {}{place} {rule}", index + 1);
                found.add(Violation::of(VARIABLE, text, rule, hint));
            }
        }
    }
    if found.is_empty() {
        for (rule, hint) in broken_together(&nodes) {
            found.add(Violation::of(VARIABLE, text, rule, hint));
        }
    }
    nodes.sort_by_key(|node| node.number);
    found.or(Some(nodes))
}

fn parse_item(item: &str, data_dir: &Path) -> Result<Node, Broken> {
    const FORM: &str =
        "write number:host[:port[:weight[:data dir[:flag]]]], for example 0:pg01:5432:1:/u01/pg17/data:ALLOW_TO_FAILOVER";
    if item.is_empty() {
        return Err(("is empty".to_owned(), "remove the extra comma"));
    }
    let (number, rest) = item.split_once(':').ok_or(("no host".to_owned(), FORM))?;
    let number = digits(number).ok_or((format!("\"{}\" is not a node number", number.escape_debug()), FORM))?;
    let (host, rest) = split_host(rest)?;
    let rest: Vec<&str> = rest.map(|rest| rest.split(':').collect()).unwrap_or_default();
    let (port_text, weight, dir, flag) = match rest[..] {
        [] => (None, None, None, None),
        [port] => (Some(port), None, None, None),
        [port, dir] if dir.starts_with('/') => (Some(port), None, Some(dir), None),
        [port, weight] => (Some(port), Some(weight), None, None),
        [port, dir, flag] if dir.starts_with('/') => (Some(port), None, Some(dir), Some(flag)),
        [port, weight, dir] => (Some(port), Some(weight), Some(dir), None),
        [port, weight, dir, flag] => (Some(port), Some(weight), Some(dir), Some(flag)),
        _ => return Err((format!("{} fields, and six are the most", rest.len() + 2), FORM)),
    };
    Ok(Node {
        number: NodeNumber(number),
        name: node_name(&host)?,
        host,
        port: port_text.map_or(Ok(PORT), parse_port)?,
        weight: weight.map_or(Ok(1.0), parse_weight)?,
        data_dir: dir.map_or(Ok(data_dir.to_path_buf()), parse_dir)?,
        flag: flag.map_or(Ok(BackendFlag::AllowToFailover), parse_flag)?,
    })
}

/// The host and what follows its colon.
fn split_host(text: &str) -> Result<(String, Option<&str>), Broken> {
    const HOST: &str = "a host is letters, digits and . _ -, or an address; IPv6 in brackets";
    if let Some(text) = text.strip_prefix('[') {
        let (address, rest) = text.split_once(']').ok_or(("no ] after [".to_owned(), HOST))?;
        let address: Ipv6Addr =
            address.parse().map_err(|_| (format!("\"{}\" is not an IPv6 address", address.escape_debug()), HOST))?;
        let rest = match rest.strip_prefix(':') {
            None if !rest.is_empty() => return Err(("text between ] and the next colon".to_owned(), HOST)),
            rest => rest,
        };
        return Ok((address.to_string(), rest));
    }
    if is_bare_ipv6(text) {
        return Err(("an IPv6 address without brackets".to_owned(), "write 1:[fd00::2]:5432"));
    }
    let (host, rest) = text.split_once(':').map_or((text, None), |(host, rest)| (host, Some(rest)));
    if is_host(host) {
        Ok((host.to_owned(), rest))
    } else {
        Err((format!("\"{}\" is not a host name", host.escape_debug()), HOST))
    }
}

/// Whether the text begins with an IPv6 address, as far as its colons can tell.
fn is_bare_ipv6(text: &str) -> bool {
    let ends = text.match_indices(':').map(|(end, _)| end).chain([text.len()]);
    ends.into_iter().any(|end| text[..end].parse::<Ipv6Addr>().is_ok())
}

/// repmgr's `node_name`: the host without Swarm's `tasks.`.
pub(super) fn node_name(host: &str) -> Result<NodeName, Broken> {
    let name = host.strip_prefix("tasks.").unwrap_or(host);
    if name.is_empty() || name.len() > NAME_BYTES {
        return Err(("its name has to have 1 to 63 bytes".to_owned(), "give the node a shorter host name or network alias"));
    }
    Ok(NodeName(name.to_owned()))
}

fn parse_port(text: &str) -> Result<u16, Broken> {
    port(text)
        .ok_or((format!("\"{}\" is not a port", text.escape_debug()), "a port is a number from 1 to 65535; PostgreSQL's is 5432"))
}

fn parse_weight(text: &str) -> Result<f64, Broken> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let weight = text.parse::<f64>().ok().filter(|weight| plain && weight.is_finite());
    weight.ok_or((
        format!("\"{}\" is not a weight", text.escape_debug()),
        "a weight is a number such as 1 or 0.5; 0 takes no reading queries",
    ))
}

fn parse_dir(text: &str) -> Result<PathBuf, Broken> {
    const DIR: &str = "a data directory is an absolute path of letters, digits and . _ - /";
    match directory_rule(text) {
        None => Ok(PathBuf::from(text)),
        Some(rule) => Err((format!("\"{}\" is {rule}", text.escape_debug()), DIR)),
    }
}

fn parse_flag(text: &str) -> Result<BackendFlag, Broken> {
    match text {
        "ALLOW_TO_FAILOVER" => Ok(BackendFlag::AllowToFailover),
        "DISALLOW_TO_FAILOVER" => Ok(BackendFlag::DisallowToFailover),
        "ALWAYS_PRIMARY" | "ALWAYS_MASTER" => {
            Err((format!("{text} would switch off finding the primary"), "use ALLOW_TO_FAILOVER or DISALLOW_TO_FAILOVER"))
        }
        _ => {
            let hint = "use ALLOW_TO_FAILOVER or DISALLOW_TO_FAILOVER, in upper case";
            Err((format!("\"{}\" is not a flag", text.escape_debug()), hint))
        }
    }
}

/// Rules that no item can break alone.
fn broken_together(nodes: &[Node]) -> Vec<Broken> {
    let mut broken = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        let earlier = &nodes[..index];
        let number = node.number;
        if earlier.iter().any(|other| other.number == number) {
            broken.push((format!("node number {number} is used twice"), "number the nodes 0, 1, 2, …"));
        }
        if earlier.iter().any(|other| other.name.0.eq_ignore_ascii_case(&node.name.0)) {
            let rule = format!("node {} is named twice", node.name);
            broken.push((rule, "every node needs a host name of its own; it is also its name in repmgr"));
        }
    }
    if nodes.len() > MAX_NODES {
        broken.push((format!("{} nodes, and pgpool takes {MAX_NODES}", nodes.len()), "remove some"));
    }
    if broken.is_empty() {
        let missing = (0..).zip(sorted_numbers(nodes)).find(|(expected, number)| expected != number);
        if let Some((expected, _)) = missing {
            broken.push((format!("there is no node number {expected}"), "number the nodes 0, 1, 2, … without a gap"));
        }
    }
    broken
}

fn sorted_numbers(nodes: &[Node]) -> Vec<u32> {
    let mut numbers: Vec<_> = nodes.iter().map(|node| node.number.0).collect();
    numbers.sort_unstable();
    numbers
}
