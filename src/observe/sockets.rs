//! The TCP connections of this container, as the kernel lists them, which process holds one, and who waits to be let in.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::unistd::Pid;

const FILES: [&str; 2] = ["/proc/net/tcp", "/proc/net/tcp6"];
/// One line for each IPv6 address of this container, its device last.
const ADDRESSES: &str = "/proc/net/if_inet6";
const ESTABLISHED: &str = "01";
const ASKED_FOR: &str = "02";
const LISTENING: &str = "0A";
/// The inode of a connection that has no file yet.
const NOT_ACCEPTED: u64 = 0;

/// An established connection, or one that this container has asked for and got no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    inode: u64,
}

/// All of them; none where /proc tells nothing.
pub fn list_connections() -> Vec<Connection> {
    tables().iter().flat_map(|table| parse(table)).collect()
}

/// Of one port that this container listens on, from one reading.
pub struct Clients {
    /// Accepted.
    pub connections: Vec<Connection>,
    /// Accepted by nobody yet.
    pub in_line: usize,
}

pub fn clients_of(port: u16) -> Clients {
    let tables = tables();
    let all = tables.iter().flat_map(|table| parse(table));
    Clients {
        connections: all.filter(|client| client.local.port() == port && client.inode != NOT_ACCEPTED).collect(),
        in_line: tables.iter().map(|table| in_line(table, port)).sum(),
    }
}

/// For each of them the kernel goes through all connections of the machine, which takes milliseconds: the second only where IPv6 leads
/// out of this container.
fn tables() -> Vec<String> {
    let addresses = fs::read_to_string(ADDRESSES).unwrap_or_default();
    let families = if addresses.lines().any(|line| !line.ends_with(" lo")) { 2 } else { 1 };
    FILES[..families].iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect()
}

/// Whether a Unix socket was bound to this path and is still open, whatever became of its file.
pub fn is_listened_to(path: &str) -> bool {
    fs::read_to_string("/proc/net/unix").is_ok_and(|list| list.lines().any(|line| line.ends_with(path)))
}

/// Of a listening socket the second queue is its backlog.
fn in_line(text: &str, port: u16) -> usize {
    let backlog = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, LISTENING, queues, ..] = columns.as_slice() else { return None };
        let (_, backlog) = queues.split_once(':')?;
        (address(local)?.port() == port).then(|| usize::from_str_radix(backlog, 16).ok())?
    };
    text.lines().filter_map(backlog).sum()
}

/// Whether this process has one of these connections open.
pub fn holds_any(pid: Pid, connections: &[Connection]) -> bool {
    if connections.is_empty() {
        return false;
    }
    let wanted: HashSet<String> = connections.iter().map(|connection| format!("socket:[{}]", connection.inode)).collect();
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|target| wanted.contains(&*target.to_string_lossy()))
}

/// Columns: number, local, remote, state, queues, timer, retransmits, uid, timeout, inode (`Documentation/networking/proc_net_tcp.rst`).
fn parse(text: &str) -> Vec<Connection> {
    let connection = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, local, remote, ESTABLISHED | ASKED_FOR, _, _, _, _, _, inode, ..] = columns.as_slice() else { return None };
        Some(Connection { local: address(local)?, remote: address(remote)?, inode: inode.parse().ok()? })
    };
    text.lines().filter_map(connection).collect()
}

/// `0100007F:1538`: words of four bytes in the machine's own order, then the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (host, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(host.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip = match host.len() {
        8 => IpAddr::V4(Ipv4Addr::from(word(0)?)),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            let bytes: [u8; 16] = words.concat().try_into().ok()?;
            IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use super::*;

    #[test]
    fn connections_are_read_in_both_families() {
        let four = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:270F 00000000:0000 0A 00000000:00000000 00:00000000 00000000 50010        0 11 1 0 100 0 0 10 0
   1: 050012AC:C35A 020012AC:1538 01 00000000:00000000 00:00000000 00000000 50010        0 7402 1 0 20 4 30 10 -1
   2: 050012AC:C35C 030012AC:1538 02 00000001:00000000 01:00000064 00000001 50010        0 7405 1 0 20 4 30 10 -1
   3: 050012AC:C35B 020012AC:1538 08 00000000:00000000 00:00000000 00000000 50010        0 7403 1 0 20 4 30 10 -1\n";
        let six = "   0: 0000000000000000FFFF0000050012AC:270F 0000000000000000FFFF0000010012AC:8FA2 01 00000000:00000000 02:000A 0 50010 0 7404 2\n";
        let said = |connection: &Connection| format!("{} {} {}", connection.local, connection.remote, connection.inode);
        assert_eq!(
            parse(four).iter().map(said).collect::<Vec<_>>(),
            ["172.18.0.5:50010 172.18.0.2:5432 7402", "172.18.0.5:50012 172.18.0.3:5432 7405"]
        );
        assert_eq!(parse(six).iter().map(said).collect::<Vec<_>>(), ["172.18.0.5:9999 172.18.0.1:36770 7404"]);
    }

    #[test]
    fn the_kernel_and_the_standard_library_agree() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let count = || (clients_of(port).in_line, clients_of(port).connections.len());
        assert_eq!(count(), (0, 0));
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert_eq!(count(), (1, 0));
        let _accepted = listener.accept().unwrap();
        assert_eq!(count(), (0, 1));
        let (local, remote) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let found: Vec<Connection> = list_connections()
            .into_iter()
            .filter(|connection| connection.local == local && connection.remote == remote)
            .collect();
        assert_eq!(found.len(), 1);
        assert!(holds_any(Pid::this(), &found));
        assert!(!holds_any(Pid::this(), &[]));
    }
}
