//! All nodes, the network between them, what clients were told, and the invariants.

use pgcluster::model::{Quorum, Role, Timeline};

use crate::dice::Dice;
use crate::mutation::Mutation;
use crate::node::{Node, Order, Process, Server};
use crate::operator::Operator;
use crate::promoter::Promoter;
use crate::wal::{Entry, Kind, Wal};

/// Promoters outside of the database containers: pgpool's failover_command.
pub const OUTSIDERS: usize = 2;

/// Where somebody asks from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Node(usize),
    Outside(usize),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub text: String,
}

impl Violation {
    pub fn new(invariant: &'static str, text: String) -> Violation {
        Violation { invariant, text }
    }
}

#[derive(Clone, Debug)]
pub struct World {
    pub quorum: Quorum,
    pub mutation: Mutation,
    pub nodes: Vec<Node>,
    pub promoters: Vec<Option<Box<Promoter>>>,
    /// One at a time: they have a lock.
    pub operator: Option<Box<Operator>>,
    /// `cut[a][b]`: nothing passes between nodes a and b, either way.
    pub cut: Vec<Vec<bool>>,
    /// `outside_cut[p][n]`: the outsider p does not reach node n.
    pub outside_cut: Vec<Vec<bool>>,
    /// Nodes whose volume was lost and that have no data yet.
    pub lost_volumes: Vec<usize>,
    /// Faults are over: everybody is patient, and what may come in any order comes in a good one.
    pub calm: bool,
    /// How often initdb ran.
    pub systems: u64,
    /// The log up to the last commit that any client saw acknowledged. It may only grow.
    pub acknowledged: Wal,
    pub commits_acknowledged: usize,
    pub promotions: usize,
    /// Primaries that an operator stopped, and whose standbys then had everything.
    pub switchovers: usize,
    next_id: u64,
    /// What was done and decided, if somebody wants to read it.
    pub story: Option<Vec<String>>,
}

impl World {
    pub fn new(nodes: usize, sync: bool, mutation: Mutation) -> World {
        World {
            quorum: Quorum::of(nodes, sync),
            mutation,
            nodes: (0..nodes).map(Node::empty).collect(),
            promoters: vec![None; OUTSIDERS],
            operator: None,
            cut: vec![vec![false; nodes]; nodes],
            outside_cut: vec![vec![false; nodes]; OUTSIDERS],
            lost_volumes: Vec::new(),
            calm: false,
            systems: 0,
            acknowledged: Wal::default(),
            commits_acknowledged: 0,
            promotions: 0,
            switchovers: 0,
            next_id: 0,
            story: None,
        }
    }

    pub fn is_sync(&self) -> bool {
        self.quorum.acks > 0
    }

    pub fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push(line());
        }
    }

    pub fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub fn entry(&mut self, timeline: u32, kind: Kind) -> Entry {
        Entry { id: self.id(), timeline, kind }
    }

    /// How long a receiver has been silent, in ms. Time says nothing for sure: a message may be as old as it likes.
    pub fn silence(&self, dice: &mut Dice) -> u64 {
        if self.calm { 0 } else { dice.pick(&[0, 2000, 4000]) }
    }

    /// Whether a question from there gets an answer of the container.
    pub fn reaches(&self, from: Place, to: usize) -> bool {
        let passes = match from {
            Place::Node(me) => me == to || !self.cut[me][to] && !self.nodes[me].paused,
            Place::Outside(promoter) => !self.outside_cut[promoter][to],
        };
        passes && !self.nodes[to].paused
    }

    pub fn append(&mut self, number: usize, kind: Kind) {
        let timeline = self.nodes[number].wal().map_or(1, Wal::timeline);
        let entry = self.entry(timeline, kind);
        self.nodes[number].disk.as_mut().expect("a server has data").wal.0.push(entry);
    }

    /// One statement on a running server; false if it ends in an error.
    pub fn obey(&mut self, number: usize, order: Order) -> bool {
        let Some(role) = self.nodes[number].role() else { return false };
        let node = &mut self.nodes[number];
        let disk = node.disk.as_mut().expect("a server has data");
        match order {
            Order::Promise(epoch) => disk.conf.promised = epoch,
            Order::Reign(epoch) => disk.conf.reign = epoch,
            Order::Point(upstream) => disk.conf.upstream = upstream,
            Order::ReadOnly(on) => disk.conf.read_only = on,
            Order::Slots(whose) => {
                disk.slots = (0..8).filter(|slot| whose >> slot & 1 == 1).collect();
                let refused = |node: &Node| whose >> node.number & 1 == 0;
                for server in self.nodes.iter_mut().filter(|node| refused(node)).filter_map(Node::server_mut) {
                    server.receiver.take_if(|(upstream, _)| *upstream == number);
                }
            }
            Order::Reload => {
                let conf = disk.conf;
                let server = node.server_mut().expect("it has a role");
                if server.conf.upstream != conf.upstream {
                    server.receiver = None;
                }
                server.conf = conf;
            }
            Order::Promote if role == Role::Standby => self.end_recovery(number),
            Order::Promote => {}
            Order::BeginReign(epoch) => {
                // `begin_reign` asks for both first, in the session that then writes.
                let reign = node.state(0).expect("a server has a state").own_reign();
                if role == Role::Standby || reign.0 != epoch {
                    return false;
                }
                let disk = self.nodes[number].disk.as_ref().expect("a server has data");
                if !disk.wal.0.iter().any(|entry| entry.kind == Kind::Row(epoch)) {
                    self.append(number, Kind::Row(epoch));
                }
            }
        }
        true
    }

    /// `register::ensure_slot`.
    pub fn give_slot(&mut self, upstream: usize, number: usize) {
        let disk = self.nodes[upstream].disk.as_mut().expect("a server has data");
        disk.slots.push(number);
    }

    /// A new timeline, one above all that this node has heard of (`findNewestTimeLine` in timeline.c).
    fn end_recovery(&mut self, number: usize) {
        self.promotions += 1;
        let disk = self.nodes[number].disk.as_mut().expect("a server has data");
        disk.standby = false;
        disk.known_timeline = disk.known_timeline.max(disk.wal.timeline()) + 1;
        let timeline = disk.known_timeline;
        let begin = self.entry(timeline, Kind::Begin);
        self.nodes[number].disk.as_mut().expect("a server has data").wal.0.push(begin);
        self.nodes[number].server_mut().expect("it obeys").receiver = None;
    }

    /// A WAL receiver asks its upstream for WAL. PostgreSQL compares timelines by number, and positions by segment only, so what it
    /// lets through must be a prefix in truth: a standby with other data reports its own position as flushed.
    pub fn connect(&mut self, number: usize) -> Result<bool, Violation> {
        let Some(upstream) = self.nodes[number].server().filter(|server| server.receiver.is_none()).and_then(|s| s.conf.upstream)
        else {
            return Ok(false);
        };
        let (me, up) = (&self.nodes[number], &self.nodes[upstream]);
        let is_possible = me.role() == Some(Role::Standby)
            && !me.paused
            && self.reaches(Place::Node(number), upstream)
            && up.server().is_some()
            && upstream != number;
        let has_slot = up.disk.as_ref().is_some_and(|disk| disk.slots.contains(&number));
        let (true, true, Some(mine), Some(theirs)) = (is_possible, has_slot, me.wal(), up.wal()) else { return Ok(false) };
        let timeline = Timeline(mine.timeline());
        let history = theirs.history();
        if theirs.timeline() < mine.timeline() || timeline != history.own() && history.fork_of(timeline).is_none() {
            return Ok(false);
        }
        let (end, known, from_primary) = (mine.end(), theirs.timeline(), up.is_primary());
        if !mine.is_prefix_of(theirs) {
            // A standby that lacks what this node has sends nothing, and counts no acknowledgements.
            if !from_primary && theirs.is_prefix_of(mine) {
                return Ok(false);
            }
            let text = format!("node {number} streams from node {upstream}, whose history does not contain its own");
            return Err(Violation::new("I4", text));
        }
        let disk = self.nodes[number].disk.as_mut().expect("seen above");
        disk.known_timeline = disk.known_timeline.max(known);
        self.nodes[number].server_mut().expect("seen above").receiver = Some((upstream, self.nodes[upstream].life));
        self.flushed(number, upstream, end);
        Ok(true)
    }

    /// At most `entries` more of the upstream's WAL.
    pub fn stream(&mut self, number: usize, entries: usize) -> bool {
        let Some((upstream, _)) = self.live_receiver(number) else { return false };
        let (Some(mine), Some(theirs)) = (self.nodes[number].wal(), self.nodes[upstream].wal()) else { return false };
        let (from, to) = (mine.end(), theirs.end().min(mine.end() + entries));
        if from >= to {
            return false;
        }
        let news = theirs.0[from..to].to_vec();
        self.nodes[number].disk.as_mut().expect("seen above").wal.0.extend(news);
        self.flushed(number, upstream, to);
        true
    }

    fn live_receiver(&self, number: usize) -> Option<(usize, u64)> {
        let receiver = self.nodes[number].server()?.receiver?;
        let (upstream, life) = receiver;
        let up = &self.nodes[upstream];
        let lives = up.life == life && up.server().is_some();
        (lives && !self.nodes[number].paused && self.reaches(Place::Node(number), upstream)).then_some(receiver)
    }

    /// A receiver whose upstream is gone or silent gives up.
    pub fn hang_up(&mut self, number: usize) -> bool {
        let is_dead = self.live_receiver(number).is_none() && !self.nodes[number].paused;
        match self.nodes[number].server_mut() {
            Some(server) if is_dead => server.receiver.take().is_some(),
            Some(_) | None => false,
        }
    }

    fn flushed(&mut self, standby: usize, upstream: usize, end: usize) {
        if let Some(server) = self.nodes[upstream].server_mut() {
            server.in_flight[standby] = end;
        }
    }

    /// An acknowledgement arrives; one that was sent may arrive after its sender is gone.
    pub fn deliver(&mut self, primary: usize, standby: usize) -> bool {
        if self.nodes[primary].paused {
            return false;
        }
        let Some(server) = self.nodes[primary].server_mut() else { return false };
        let is_news = server.in_flight[standby] > server.reported[standby];
        server.reported[standby] = server.reported[standby].max(server.in_flight[standby]);
        is_news
    }

    /// A client commits and waits.
    pub fn write(&mut self, number: usize) -> bool {
        let is_open = |server: &Server| !server.conf.read_only && server.waiting_clients.len() < 6;
        let node = &self.nodes[number];
        if node.paused || !node.is_primary() || !node.server().is_some_and(is_open) {
            return false;
        }
        self.append(number, Kind::Commit);
        let end = self.nodes[number].wal().map_or(0, Wal::end);
        self.nodes[number].server_mut().expect("seen above").waiting_clients.push(end);
        true
    }

    /// Clients hear of every commit that enough standbys have flushed. I1 and I2 are checked here: all acknowledged commits, whoever
    /// acknowledged them, are one history. An old primary may hear late of what its standbys flushed before they left it; what it then
    /// acknowledges is in that history, or it is a violation.
    pub fn acknowledge(&mut self, number: usize) -> Result<bool, Violation> {
        let acks = self.quorum.acks;
        let node = &self.nodes[number];
        let (true, false, Some(server)) = (node.is_primary(), node.paused, node.server()) else { return Ok(false) };
        let own = node.wal().map_or(0, Wal::end);
        let mut reported = server.reported.clone();
        reported.sort_unstable_by_key(|end| std::cmp::Reverse(*end));
        let safe = if acks == 0 { own } else { reported[acks - 1].min(own) };
        let Some(told) = server.waiting_clients.iter().copied().filter(|end| *end <= safe).max() else { return Ok(false) };
        let server = self.nodes[number].server_mut().expect("seen above");
        let before = server.waiting_clients.len();
        server.waiting_clients.retain(|end| *end > told);
        self.commits_acknowledged += before - server.waiting_clients.len();
        if !self.is_sync() {
            return Ok(true);
        }
        let wal = &self.nodes[number].wal().expect("a server has data").0[..told];
        let both = wal.len().min(self.acknowledged.end());
        if wal[..both] != self.acknowledged.0[..both] {
            let same = self.acknowledged.0.iter().zip(wal).take_while(|(a, b)| a == b).count();
            let text = format!(
                "node {number} acknowledges its commits up to {told}, but from {same} on others were acknowledged, up to {}",
                self.acknowledged.end()
            );
            return Err(Violation::new("I1", text));
        }
        if told > both {
            self.acknowledged = Wal(wal.to_vec());
        }
        Ok(true)
    }

    /// The container is killed.
    pub fn crash(&mut self, number: usize) -> bool {
        let was_up = !matches!(self.nodes[number].process, Process::Down);
        if let Process::Entrypoint(entrypoint) = &self.nodes[number].process
            && let crate::entrypoint::Stage::Rewinding { .. } = entrypoint.stage
        {
            self.spoil(number);
        }
        self.nodes[number].kill();
        self.nodes[number].paused = false;
        was_up
    }

    /// A rewind was killed while it wrote: what is on the volume is no data any more, if the guarantee covers one more loss.
    pub fn spoil(&mut self, number: usize) {
        if self.may_lose(number) {
            self.nodes[number].disk.as_mut().expect("it is rewound").half_rewound = true;
            self.lost_volumes.push(number);
        }
    }

    fn may_lose(&self, number: usize) -> bool {
        self.lost_volumes.len() < self.quorum.acks && !self.lost_volumes.contains(&number)
    }

    /// The volume is gone. The guarantee covers as many at a time as there are copies beside the primary's.
    pub fn lose_volume(&mut self, number: usize) -> bool {
        if !self.may_lose(number) || self.nodes[number].disk.is_none() {
            return false;
        }
        self.crash(number);
        self.nodes[number].disk = None;
        self.lost_volumes.push(number);
        true
    }

    /// After a pause, what was sent to the server before is executed, although nobody waits for the answer.
    pub fn unpause(&mut self, number: usize) -> bool {
        if !std::mem::take(&mut self.nodes[number].paused) {
            return false;
        }
        for order in std::mem::take(&mut self.nodes[number].late) {
            self.obey(number, order);
        }
        true
    }
}
