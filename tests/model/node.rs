//! One container with its volume: what is durable, and what dies with the process.

use pgcluster::model::{
    Epoch, NodeName, NodeNumber, NodeState, OwnData, OwnNode, ParameterFloor, Quorum, Role, Stopped, SystemId, Timeline,
};
use pgcluster::plan::start::{Archive, Me};

use crate::entrypoint::Entrypoint;
use crate::health::Health;
use crate::wal::Wal;

/// postgresql.auto.conf, as far as it matters; `upstream` is the host of `primary_conninfo`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conf {
    pub promised: u64,
    pub reign: u64,
    pub upstream: Option<usize>,
    pub read_only: bool,
}

/// The data directory.
#[derive(Clone, Debug)]
pub struct Disk {
    pub system: u64,
    pub wal: Wal,
    /// `standby.signal`.
    pub standby: bool,
    pub conf: Conf,
    /// The highest timeline whose history file lies in pg_wal.
    pub known_timeline: u32,
    /// Who has a slot here and may stream.
    pub slots: Vec<usize>,
    /// A rewind that was interrupted while it wrote.
    pub half_rewound: bool,
}

#[derive(Clone, Debug)]
pub enum Process {
    Down,
    Entrypoint(Box<Entrypoint>),
    /// The server was exec'd and does not answer yet.
    Starting,
    Server(Server),
}

/// A running postgres.
#[derive(Clone, Debug, Default)]
pub struct Server {
    /// The settings that are in force: the file as of the last reload.
    pub conf: Conf,
    /// From whom the WAL receiver streams, and in which of its lives.
    pub receiver: Option<(usize, u64)>,
    /// The session that holds the advisory lock.
    pub lock: Option<u64>,
    /// Flush positions that standbys sent and that have not arrived; those that have.
    pub in_flight: Vec<usize>,
    pub reported: Vec<usize>,
    /// Ends of commits whose clients wait.
    pub waiting_clients: Vec<usize>,
    pub health: Option<Box<Health>>,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub number: usize,
    pub disk: Option<Disk>,
    pub process: Process,
    /// `docker pause`.
    pub paused: bool,
    /// Counts starts of the container: a session of an earlier life is dead.
    pub life: u64,
    /// Orders that reached a paused server, and whose sender gave up.
    pub late: Vec<Order>,
}

/// One statement to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Promise(u64),
    Reign(u64),
    Point(Option<usize>),
    ReadOnly(bool),
    /// Slots for these and for nobody else, one bit each.
    Slots(u8),
    Reload,
    Promote,
    /// The epoch row and repmgr's metadata, in one transaction.
    BeginReign(u64),
}

pub fn host(number: usize) -> String {
    format!("pg{:02}", number + 1)
}

impl Node {
    pub fn empty(number: usize) -> Node {
        Node { number, disk: None, process: Process::Down, paused: false, life: 0, late: Vec::new() }
    }

    pub fn server(&self) -> Option<&Server> {
        match &self.process {
            Process::Server(server) => Some(server),
            Process::Down | Process::Entrypoint(_) | Process::Starting => None,
        }
    }

    pub fn server_mut(&mut self) -> Option<&mut Server> {
        match &mut self.process {
            Process::Server(server) => Some(server),
            Process::Down | Process::Entrypoint(_) | Process::Starting => None,
        }
    }

    pub fn wal(&self) -> Option<&Wal> {
        self.disk.as_ref().map(|disk| &disk.wal)
    }

    pub fn role(&self) -> Option<Role> {
        self.server()?;
        Some(if self.disk.as_ref()?.standby { Role::Standby } else { Role::Primary })
    }

    pub fn is_primary(&self) -> bool {
        self.role() == Some(Role::Primary)
    }

    pub fn me(&self, quorum: Quorum) -> Me {
        let number = NodeNumber(self.number as u32);
        Me {
            number,
            name: NodeName(host(self.number)),
            host: host(self.number),
            quorum,
            bootstrap: NodeNumber(0),
            archive: Archive::None,
        }
    }

    /// As `observe::data_dir` reads it while no server runs.
    pub fn own_data(&self) -> OwnData {
        let Some(disk) = &self.disk else { return OwnData::None };
        if disk.half_rewound {
            return OwnData::Unfinished { promised_epoch: Epoch(disk.conf.promised) };
        }
        OwnData::Valid(OwnNode {
            system_id: SystemId(disk.system),
            timeline: Timeline(disk.wal.timeline()),
            role: if disk.standby { Role::Standby } else { Role::Primary },
            stopped: Stopped::Crashed,
            promised_epoch: Epoch(disk.conf.promised),
            reign: Epoch(disk.conf.reign),
            upstream: disk.conf.upstream.map(host),
            checkpoint: (Timeline(disk.wal.timeline()), disk.wal.lsn()),
            wal_end: pgcluster::model::WalEnd::At(disk.wal.lsn()),
            history: disk.wal.history(),
            parameters: ParameterFloor::default(),
        })
    }

    /// As `observe::peer` reads it from a running server. `silent_ms`: how long a receiver has been silent.
    pub fn state(&self, silent_ms: u64) -> Option<NodeState> {
        let (server, disk, role) = (self.server()?, self.disk.as_ref()?, self.role()?);
        Some(NodeState {
            system_id: SystemId(disk.system),
            role,
            timeline: Timeline(disk.wal.timeline()),
            lsn: disk.wal.lsn(),
            wal_from: None,
            data_epoch: disk.wal.reigns().last().copied(),
            promised_epoch: Epoch(server.conf.promised),
            reign: Epoch(server.conf.reign),
            reigns: disk.wal.reigns(),
            upstream: if role == Role::Standby { server.conf.upstream.map(host) } else { None },
            receiver_silent_ms: server.receiver.map(|_| silent_ms),
            keeps_up: true,
            heard_recently: true,
            paused: None,
            history: disk.wal.history(),
            parameters: ParameterFloor::default(),
        })
    }

    /// The process and everything that lives in it are gone; what is on disk stays.
    pub fn kill(&mut self) {
        self.process = Process::Down;
        self.late.clear();
        self.life += 1;
    }
}
