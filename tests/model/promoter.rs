//! `act::promote`, one step at a time. It may die between any two of them, and others run beside it.

use pgcluster::model::{ClusterView, NodeNumber, NodeState, Quorum, Rank, Role};
use pgcluster::plan::promotion::{self, Asker, Fitness, Frozen, Need};

use crate::dice::Dice;
use crate::look::Look;
use crate::mutation::Mutation;
use crate::node::Order;
use crate::world::{Place, World};

#[derive(Clone, Debug)]
pub struct Promoter {
    pub place: Place,
    asker: Asker,
    preferred: Option<NodeNumber>,
    /// The end of a switchover: the old primary was stopped, and nobody looks for it again.
    handed_over: bool,
    stage: Stage,
    /// Sessions with a lock; they and their locks end with the attempt.
    sessions: Vec<Session>,
}

/// A session of role `repmgr` on a server.
#[derive(Clone, Debug)]
pub struct Session {
    pub id: u64,
    pub node: usize,
    life: u64,
}

impl Session {
    fn number(&self) -> NodeNumber {
        NodeNumber(self.node as u32)
    }
}

/// How far the orders to one node are.
#[derive(Clone, Debug)]
pub struct Progress {
    session: Session,
    orders: Vec<Order>,
    failed: bool,
}

#[derive(Clone, Debug)]
enum Stage {
    Asking(Look),
    Locking { view: ClusterView, left: Vec<usize> },
    Reading { view: ClusterView, states: Vec<NodeState> },
    Freezing { view: ClusterView, epoch: u64, before: Vec<NodeState>, nodes: Vec<Progress> },
    Preparing { epoch: u64, candidate: Progress, followers: Vec<Session> },
    Promoting { candidate: Progress, followers: Vec<Progress> },
    Finishing(Progress),
}

/// What became of one order.
enum Sent {
    Done,
    Failed,
    /// No answer yet.
    Waiting,
}

impl Promoter {
    pub fn new(place: Place, nodes: usize) -> Promoter {
        Promoter {
            place,
            asker: Asker::Machine,
            preferred: None,
            handed_over: false,
            stage: Stage::Asking(Look::at_all(place, nodes)),
            sessions: Vec::new(),
        }
    }

    /// A person asks, and prefers this one among equals.
    pub fn of_person(to: NodeNumber, place: Place, nodes: usize) -> Promoter {
        Promoter { asker: Asker::Person, preferred: Some(to), ..Promoter::new(place, nodes) }
    }

    /// `promote_locked`: the end of a switchover, over sessions that have the locks.
    pub fn of_locked(to: NodeNumber, place: Place, view: ClusterView, sessions: Vec<Session>) -> Promoter {
        let stage = Stage::Reading { view, states: Vec::new() };
        Promoter { place, asker: Asker::Person, preferred: Some(to), handed_over: true, stage, sessions }
    }

    /// One step; false when it has come to an end.
    pub fn go_on(&mut self, world: &mut World, dice: &mut Dice) -> bool {
        let nodes = world.nodes.len();
        let stage = std::mem::replace(&mut self.stage, Stage::Asking(Look::at_all(self.place, nodes)));
        let next = match stage {
            Stage::Asking(mut look) => match look.go_on(world, dice) {
                None => Ok(Stage::Asking(look)),
                Some(view) => self.is_needed(world, view, dice),
            },
            Stage::Locking { view, left } => self.lock(world, view, left, dice),
            Stage::Reading { view, states } => self.read(world, view, states, dice),
            Stage::Freezing { view, epoch, before, nodes } => self.freeze(world, view, epoch, before, nodes, dice),
            Stage::Preparing { epoch, mut candidate, followers } => match candidate.go_on(world, self.place, dice) {
                Some(true) => Ok(promoting(epoch, &candidate.session, followers)),
                Some(false) => Err("the candidate was not prepared".into()),
                None => Ok(Stage::Preparing { epoch, candidate, followers }),
            },
            Stage::Promoting { mut candidate, mut followers } => {
                let turn = dice.roll(followers.len() + 1);
                let one = followers.get_mut(turn).unwrap_or(&mut candidate);
                one.go_on(world, self.place, dice);
                match candidate.is_over() && followers.iter().all(Progress::is_over) {
                    true => Err("done".into()),
                    false => Ok(Stage::Promoting { candidate, followers }),
                }
            }
            Stage::Finishing(mut primary) => match primary.go_on(world, self.place, dice) {
                None => Ok(Stage::Finishing(primary)),
                Some(_) => Err("done".into()),
            },
        };
        match next {
            Ok(stage) => {
                self.stage = stage;
                true
            }
            Err(because) => {
                let place = self.place;
                world.say(|| format!("    {place:?} promotion ends: {because}"));
                self.leave(world);
                false
            }
        }
    }

    /// The sessions end. Where the server cannot know it, its lock stays for a while.
    pub fn leave(&mut self, world: &mut World) {
        for session in std::mem::take(&mut self.sessions) {
            if world.reaches(self.place, session.node) {
                world.release(session.node, session.id);
            }
        }
    }

    pub fn holds(&self, session: u64) -> bool {
        self.sessions.iter().any(|own| own.id == session)
    }

    fn is_needed(&mut self, world: &mut World, view: ClusterView, dice: &mut Dice) -> Result<Stage, String> {
        let asking_ms = if world.calm { 0 } else { dice.pick(&[0, 3000]) };
        match promotion::need(&view, asking_ms) {
            Need::None { because, .. } | Need::Lives { because } | Need::Unclear { because } => Err(because),
            Need::Finish { primary, epoch } => {
                let session = world.session(primary.index());
                Ok(Stage::Finishing(Progress::new(session, begin_reign(epoch.0))))
            }
            Need::Promote { .. } => {
                let electorate = promotion::electorate(&view, quorum(world), self.asker)?;
                Ok(Stage::Locking { view, left: electorate.iter().rev().map(|number| number.index()).collect() })
            }
        }
    }

    /// One node after the other, without waiting.
    fn lock(&mut self, world: &mut World, view: ClusterView, mut left: Vec<usize>, dice: &mut Dice) -> Result<Stage, String> {
        if let Some(number) = left.pop() {
            let session = world.session(number);
            let reached = world.reaches(self.place, number) && (world.calm || !dice.one_in(20));
            if reached && world.try_lock(number, session.id) {
                self.sessions.push(session);
            }
            return Ok(Stage::Locking { view, left });
        }
        promotion::enough(self.sessions.len(), quorum(world))?;
        Ok(Stage::Reading { view, states: Vec::new() })
    }

    /// What was true before the locks may not be any more.
    fn read(
        &mut self,
        world: &mut World,
        view: ClusterView,
        mut states: Vec<NodeState>,
        dice: &mut Dice,
    ) -> Result<Stage, String> {
        if let Some(session) = self.sessions.get(states.len()) {
            let silent_ms = world.silence(dice);
            states.push(world.read(self.place, session, silent_ms).ok_or("a locked node does not answer")?);
            return Ok(Stage::Reading { view, states });
        }
        if states.iter().any(|state| state.role == Role::Primary) {
            return Err("somebody was promoted meanwhile".into());
        }
        let locked = || self.sessions.iter().map(Session::number).zip(&states);
        if !self.handed_over {
            promotion::still_needed(&view, locked())?;
        }
        promotion::electorate(&view.with_only(locked()), quorum(world), self.asker)?;
        promotion::may_know_all(states.iter(), self.asker, quorum(world))?;
        let epoch = promotion::next_epoch(states.iter()).0;
        let promise = if world.mutation == Mutation::NoPromise { None } else { Some(Order::Promise(epoch)) };
        let orders: Vec<Order> = promise.into_iter().chain([Order::Point(None), Order::Reload]).collect();
        let nodes = self.sessions.iter().map(|session| Progress::new(session.clone(), orders.clone())).collect();
        Ok(Stage::Freezing { view, epoch, before: states, nodes })
    }

    fn freeze(
        &mut self,
        world: &mut World,
        view: ClusterView,
        epoch: u64,
        before: Vec<NodeState>,
        mut nodes: Vec<Progress>,
        dice: &mut Dice,
    ) -> Result<Stage, String> {
        let open: Vec<usize> = (0..nodes.len()).filter(|at| !nodes[*at].is_over()).collect();
        if !open.is_empty() {
            nodes[dice.pick(&open)].go_on(world, self.place, dice);
            return Ok(Stage::Freezing { view, epoch, before, nodes });
        }
        let frozen: Vec<Frozen> = nodes
            .iter()
            .zip(&before)
            .filter(|(node, _)| !node.failed)
            .filter_map(|(node, before)| self.frozen(world, &node.session, epoch, before))
            .collect();
        let is_frozen = |number: NodeNumber| frozen.iter().any(|node| node.number == number);
        let as_before = self.sessions.iter().map(Session::number).zip(&before).filter(|(number, _)| is_frozen(*number));
        promotion::electorate(&view.with_only(as_before), quorum(world), self.asker)?;
        let chosen = promotion::candidate(&frozen, self.asker, self.preferred, world.quorum)?.index();
        let place = self.place;
        world.say(|| format!("    {place:?} epoch {epoch}: {frozen:?} → node {chosen}"));
        let mut told = promotion::followers(&frozen, NodeNumber(chosen as u32));
        if world.mutation == Mutation::PointEverybody {
            told = frozen.iter().map(|node| node.number).collect();
        }
        let is_frozen = |session: &Session| session.node == chosen || told.contains(&session.number());
        let (candidate, followers): (Vec<_>, Vec<_>) =
            self.sessions.iter().filter(|s| is_frozen(s)).cloned().partition(|session| session.node == chosen);
        let candidate = candidate.into_iter().next().ok_or("the candidate is one of the frozen")?;
        let slots = if world.mutation == Mutation::SlotsForEverybody { u8::MAX } else { slots(&followers) };
        let candidate =
            Progress::new(candidate, vec![Order::Slots(slots), Order::Reign(epoch), Order::ReadOnly(true), Order::Reload]);
        Ok(Stage::Preparing { epoch, candidate, followers })
    }

    fn frozen(&self, world: &World, session: &Session, epoch: u64, before: &NodeState) -> Option<Frozen> {
        let mut state = world.read(self.place, session, 0)?;
        let is_promised = state.promised_epoch.0 == epoch || world.mutation == Mutation::NoPromise;
        if !is_promised || state.upstream.is_some() || state.receiver_silent_ms.is_some() {
            return None;
        }
        let mut rank =
            Rank { data_epoch: state.epoch(), timeline: state.timeline.max(before.timeline), lsn: state.lsn.max(before.lsn) };
        if world.mutation == Mutation::NoEpochRow {
            rank.data_epoch.0 = 0;
        }
        if world.mutation == Mutation::NoReign {
            state.reign.0 = 0;
        }
        Some(Frozen { number: session.number(), rank, state, fitness: Fitness::Fit, recent: true })
    }
}

/// One bit for each.
fn slots(followers: &[Session]) -> u8 {
    followers.iter().fold(0, |slots, follower| slots | 1 << follower.node)
}

fn promoting(epoch: u64, candidate: &Session, followers: Vec<Session>) -> Stage {
    let follow = vec![Order::Reign(epoch), Order::Point(Some(candidate.node)), Order::Reload];
    let orders = [Order::Promote].into_iter().chain(begin_reign(epoch)).collect();
    Stage::Promoting {
        candidate: Progress::new(candidate.clone(), orders),
        followers: followers.into_iter().map(|session| Progress::new(session, follow.clone())).collect(),
    }
}

/// `Standby::begin_reign`: the row, then the node is open.
pub fn begin_reign(epoch: u64) -> Vec<Order> {
    vec![Order::BeginReign(epoch), Order::ReadOnly(false), Order::Reload]
}

fn quorum(world: &World) -> Quorum {
    let Quorum { promotion, .. } = world.quorum;
    let taken = usize::from(world.mutation == Mutation::SmallerQuorum);
    Quorum { promotion: promotion - taken, ..world.quorum }
}

impl Progress {
    pub fn new(session: Session, mut orders: Vec<Order>) -> Progress {
        orders.reverse();
        Progress { session, orders, failed: false }
    }

    pub fn is_over(&self) -> bool {
        self.failed || self.orders.is_empty()
    }

    /// Sends the next order; when all is over, whether it went well.
    pub fn go_on(&mut self, world: &mut World, place: Place, dice: &mut Dice) -> Option<bool> {
        if let (false, Some(order)) = (self.failed, self.orders.last()) {
            match world.send(place, &self.session, *order, dice) {
                Sent::Done => drop(self.orders.pop()),
                Sent::Failed => self.failed = true,
                Sent::Waiting => {}
            }
        }
        self.is_over().then_some(!self.failed)
    }
}

impl World {
    pub fn session(&mut self, node: usize) -> Session {
        Session { id: self.id(), node, life: self.nodes[node].life }
    }

    pub fn try_lock(&mut self, number: usize, session: u64) -> bool {
        let Some(server) = self.nodes[number].server_mut() else { return false };
        let is_free = server.lock.is_none();
        server.lock.get_or_insert(session);
        is_free
    }

    pub fn release(&mut self, number: usize, session: u64) {
        if let Some(server) = self.nodes[number].server_mut() {
            server.lock.take_if(|lock| *lock == session);
        }
    }

    /// `silent_ms`: how long its receiver has been silent.
    pub fn read(&self, place: Place, session: &Session, silent_ms: u64) -> Option<NodeState> {
        let node = &self.nodes[session.node];
        let lives = node.life == session.life && self.reaches(place, session.node);
        if lives { node.state(silent_ms) } else { None }
    }

    /// An order may be carried out although its sender never hears of it.
    fn send(&mut self, place: Place, session: &Session, order: Order, dice: &mut Dice) -> Sent {
        let number = session.node;
        if self.nodes[number].life != session.life || self.nodes[number].server().is_none() {
            return Sent::Failed;
        }
        if self.reaches(place, number) {
            return if self.obey(number, order) { Sent::Done } else { Sent::Failed };
        }
        match dice.roll(4) {
            0 if self.nodes[number].paused => self.nodes[number].late.push(order),
            0 => drop(self.obey(number, order)),
            1 => {}
            _ => return Sent::Waiting,
        }
        Sent::Failed
    }
}
