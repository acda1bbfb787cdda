//! Ends the pgpool children that still hold a connection to a backend which is frozen or cut off, or ask for one, so that their clients learn
//! of it.
//!
//! pgpool itself restarts its children when it loses a primary only if that was the first backend up in its list
//! (`kill_failover_children` in pgpool2, src/main/pgpool_main.c, compares with PRIMARY_NODE_ID after it has marked the node down). All
//! other children wait for an answer that never comes, until TCP gives up.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::model::NodeNumber;
use crate::observe::pool::read_status_file;
use crate::observe::pool_processes::{children, deadlocked};
use crate::observe::sockets::{Connection, holds_any, list_connections};
use crate::spec::{Node, PgpoolSpec};

const PAUSE: Duration = Duration::from_millis(50);
const NAME_DEADLINE: Duration = Duration::from_millis(500);
/// Ends a child in whatever it does, and pgpool forks another: it has a handler for neither this signal nor this death. One that obeys
/// SIGINT or SIGQUIT is not replaced (`reaper` in src/main/pgpool_main.c), and its semaphores are undone by the kernel either way.
const END: Signal = Signal::SIGVTALRM;

/// Once pgpool has `gone` down, ends whoever is connected to it, for `how_long`: sessions may have begun until then. How many.
pub async fn sever(spec: &PgpoolSpec, gone: NodeNumber, how_long: Duration) -> usize {
    let began = Instant::now();
    let addresses = Addresses::of(spec, gone).await;
    let mut ended = 0;
    loop {
        if read_status_file().down.contains(&gone) {
            ended += addresses.end_children();
        }
        if began.elapsed() >= how_long {
            return ended;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Ends the children that deadlocked when pgpool told them to end, for `how_long`: their clients would wait for ever. Seen twice in a
/// moment, for they have one thread each. One line for each.
pub async fn end_deadlocked(how_long: Duration) -> Vec<String> {
    let began = Instant::now();
    let (mut suspects, mut lines) = (Vec::new(), Vec::new());
    loop {
        let (stuck, new): (Vec<Pid>, Vec<Pid>) = deadlocked().into_iter().partition(|child| suspects.contains(child));
        let ended = stuck.into_iter().filter(|child| kill(*child, Signal::SIGKILL).is_ok());
        lines.extend(ended.map(|child| format!("killed child {child} of pgpool, which had deadlocked")));
        // Whoever is suspected for the first time is looked at once more.
        if began.elapsed() >= how_long && new.is_empty() {
            return lines;
        }
        suspects = new;
        tokio::time::sleep(PAUSE).await;
    }
}

/// Where a lost backend was. The name of a container that is off the network does not resolve any more: then its address is the one
/// that belongs to nobody.
struct Addresses {
    own_port: u16,
    port: u16,
    of_gone: Vec<IpAddr>,
    /// None: not all of the others could be resolved, so that nothing can be said of a strange address.
    of_others: Option<Vec<SocketAddr>>,
}

impl Addresses {
    async fn of(spec: &PgpoolSpec, gone: NodeNumber) -> Addresses {
        let nodes = &spec.cluster.nodes;
        let (of_gone, of_others) = tokio::join!(
            resolve(&nodes[gone.index()]),
            futures_util::future::join_all(nodes.iter().filter(|node| node.number != gone).map(resolve))
        );
        Addresses {
            own_port: spec.port,
            port: nodes[gone.index()].port,
            of_gone: of_gone.unwrap_or_default().iter().map(SocketAddr::ip).collect(),
            of_others: of_others.into_iter().collect::<Option<Vec<_>>>().map(|lists| lists.concat()),
        }
    }

    fn lead_there(&self, connection: &Connection) -> bool {
        let Connection { local, remote, .. } = connection;
        let is_strange = || self.of_others.as_ref().is_some_and(|others| !others.contains(remote) && !remote.ip().is_loopback());
        // What clients opened ends here at our own port.
        local.port() != self.own_port && remote.port() == self.port && (self.of_gone.contains(&remote.ip()) || is_strange())
    }

    fn end_children(&self) -> usize {
        let there: Vec<Connection> = list_connections().into_iter().filter(|connection| self.lead_there(connection)).collect();
        if there.is_empty() {
            return 0;
        }
        let holders = children().into_iter().filter(|child| holds_any(*child, &there));
        holders.filter(|child| kill(*child, END).is_ok()).count()
    }
}

async fn resolve(node: &Node) -> Option<Vec<SocketAddr>> {
    let found = tokio::time::timeout(NAME_DEADLINE, tokio::net::lookup_host((node.host.as_str(), node.port))).await.ok()?.ok()?;
    Some(found.map(|address| SocketAddr::new(address.ip().to_canonical(), address.port())).collect())
}
