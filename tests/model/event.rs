//! Everything that can happen next.

use crate::dice::Dice;
use crate::health::Health;
use crate::node::Process;
use crate::operator::Operator;
use crate::promoter::Promoter;
use crate::world::{OUTSIDERS, Place, Violation, World};

/// Chances inside an event come from a seed of its own, so that a trace stays the same when events before it are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    // Faults.
    Crash(usize),
    Pause(usize),
    Unpause(usize),
    Cut(usize, usize),
    Mend(usize, usize),
    /// From all other nodes; the outsiders still reach it, or not.
    Isolate(usize),
    Rejoin(usize),
    CutOutside(usize, usize),
    MendOutside(usize, usize),
    LoseVolume(usize),
    PromoterDies(usize),
    HealthDies(usize),
    OperatorDies,
    // Time.
    Enter(usize),
    Start(usize, u64),
    Heal(usize, u64),
    Alarm(usize),
    Promoter(usize, u64),
    /// An operator begins a switchover.
    Order(usize, u64),
    Operator(u64),
    /// A server notices that a session's client is gone.
    SessionEnds(usize),
    // PostgreSQL.
    Connect(usize),
    HangUp(usize),
    Stream(usize, usize),
    Deliver(usize, usize),
    // Clients.
    Write(usize),
    Acknowledge(usize),
}

impl World {
    /// What happens; false if nothing does.
    pub fn happen(&mut self, event: Event) -> Result<bool, Violation> {
        Ok(match event {
            Event::Crash(node) => self.crash(node),
            Event::Pause(node) => {
                let can_pause = !self.nodes[node].paused && !matches!(self.nodes[node].process, Process::Down);
                self.nodes[node].paused |= can_pause;
                can_pause
            }
            Event::Unpause(node) => self.unpause(node),
            Event::Cut(a, b) => a != b && self.set_cut(a, b, true),
            Event::Mend(a, b) => self.set_cut(a, b, false),
            Event::Isolate(node) => self.set_all_cut(node, true),
            Event::Rejoin(node) => self.set_all_cut(node, false),
            Event::CutOutside(promoter, node) => !std::mem::replace(&mut self.outside_cut[promoter][node], true),
            Event::MendOutside(promoter, node) => std::mem::replace(&mut self.outside_cut[promoter][node], false),
            Event::LoseVolume(node) => self.lose_volume(node),
            Event::PromoterDies(promoter) => match self.promoters[promoter].take() {
                None => false,
                Some(mut promoter) => {
                    promoter.leave(self);
                    true
                }
            },
            Event::HealthDies(node) => self.end_health(node),
            Event::OperatorDies => match self.operator.take() {
                None => false,
                Some(mut operator) => {
                    operator.leave(self);
                    true
                }
            },
            Event::Enter(node) => self.enter(node),
            Event::Start(node, seed) => self.go_on_starting(node, &mut Dice(seed))?,
            Event::Heal(node, seed) => self.go_on_healing(node, &mut Dice(seed)),
            Event::Alarm(promoter) => {
                let nodes = self.nodes.len();
                let is_free = self.promoters[promoter].is_none();
                self.promoters[promoter].get_or_insert_with(|| Box::new(Promoter::new(Place::Outside(promoter), nodes)));
                is_free
            }
            Event::Promoter(promoter, seed) => match self.promoters[promoter].take() {
                None => false,
                Some(mut one) => {
                    if one.go_on(self, &mut Dice(seed)) {
                        self.promoters[promoter] = Some(one);
                    }
                    true
                }
            },
            Event::Order(outsider, seed) => {
                let nodes = self.nodes.len();
                let is_free = self.operator.is_none();
                let begin = || Box::new(Operator::new(Place::Outside(outsider), nodes, &mut Dice(seed)));
                self.operator.get_or_insert_with(begin);
                is_free
            }
            Event::Operator(seed) => match self.operator.take() {
                None => false,
                Some(mut operator) => {
                    if operator.go_on(self, &mut Dice(seed)) {
                        self.operator = Some(operator);
                    }
                    true
                }
            },
            Event::SessionEnds(node) => self.end_dead_session(node),
            Event::Connect(node) => self.connect(node)?,
            Event::HangUp(node) => self.hang_up(node),
            Event::Stream(node, entries) => self.stream(node, entries),
            Event::Deliver(primary, standby) => self.deliver(primary, standby),
            Event::Write(node) => self.write(node),
            Event::Acknowledge(node) => self.acknowledge(node)?,
        })
    }

    fn set_cut(&mut self, a: usize, b: usize, cut: bool) -> bool {
        let before = self.cut[a][b];
        (self.cut[a][b], self.cut[b][a]) = (cut, cut);
        before != cut
    }

    fn set_all_cut(&mut self, node: usize, cut: bool) -> bool {
        let others = (0..self.nodes.len()).filter(|other| *other != node);
        // Each of them is cut: the first change must not end it.
        others.map(|other| self.set_cut(node, other, cut)).filter(|changed| *changed).count() > 0
    }

    pub fn end_health(&mut self, node: usize) -> bool {
        let health = self.nodes[node].server_mut().and_then(|server| server.health.take());
        match health.map(|health| *health) {
            None => false,
            Some(Health::Electing(mut promoter)) => {
                promoter.leave(self);
                true
            }
            Some(Health::Acting(acting)) => {
                self.release(node, acting.session);
                true
            }
            Some(Health::Looking { .. }) => true,
        }
    }

    /// A lock whose session nobody holds any more. A paused server notices nothing.
    pub fn end_dead_session(&mut self, node: usize) -> bool {
        let Some(lock) = self.nodes[node].server().and_then(|server| server.lock) else { return false };
        let outside = self.promoters.iter().flatten().any(|promoter| promoter.holds(lock));
        let inside = self.nodes.iter().filter_map(|node| node.server()?.health.as_deref()).any(|health| match health {
            Health::Electing(promoter) => promoter.holds(lock),
            Health::Acting(acting) => acting.session == lock,
            Health::Looking { .. } => false,
        });
        let ordered = self.operator.as_ref().is_some_and(|operator| operator.holds(lock));
        if outside || inside || ordered || self.nodes[node].paused {
            return false;
        }
        self.nodes[node].server_mut().expect("it has a lock").lock = None;
        true
    }
}

/// How often each kind of event comes in one walk. Every walk has its own habits, so that rare combinations meet now and then.
#[derive(Clone, Debug)]
pub struct Habits {
    weights: [usize; KINDS],
    /// An event of some kinds comes several times on end: a process that is fast.
    burst: usize,
}

const KINDS: usize = 27;

/// Weights for an ordinary day: crash, pause, unpause, cut, mend, cut outside, mend outside, lose volume, promoter dies, health dies, enter,
/// start, heal, alarm, promoter, session ends, connect, hang up, stream, deliver, write, acknowledge, isolate, rejoin, order, operator,
/// operator dies.
const ORDINARY: [usize; KINDS] =
    [4, 2, 16, 4, 30, 3, 16, 1, 2, 1, 30, 60, 40, 10, 60, 20, 60, 15, 40, 40, 20, 40, 4, 10, 3, 40, 1];
const FAULTS: [usize; 9] = [0, 1, 3, 5, 7, 8, 9, 22, 26];

impl Habits {
    pub fn any(dice: &mut Dice) -> Habits {
        let mut weights = ORDINARY.map(|weight| weight * 8);
        let peace = dice.pick(&[1, 4, 16]);
        for (kind, weight) in weights.iter_mut().enumerate() {
            *weight = match FAULTS.contains(&kind) {
                true => *weight * dice.pick(&[0, 1, 2, 8]) / peace,
                false => *weight * dice.pick(&[1, 2, 4, 8]) / 4,
            };
        }
        Habits { weights, burst: dice.pick(&[1, 4, 12]) }
    }

    /// What comes next, and how often on end. Every other fault meets a primary, if there is one.
    pub fn next(&self, world: &World, dice: &mut Dice) -> (Event, usize) {
        let nodes = world.nodes.len();
        let (mut node, other, outsider, seed) = (dice.roll(nodes), dice.roll(nodes), dice.roll(OUTSIDERS), dice.next());
        let mut at = dice.roll(self.weights.iter().sum());
        let mut kind = 0;
        while at >= self.weights[kind] {
            at -= self.weights[kind];
            kind += 1;
        }
        if FAULTS.contains(&kind) && dice.one_in(2) {
            node = world.nodes.iter().find(|one| one.is_primary()).map_or(node, |primary| primary.number);
        }
        let event = match kind {
            0 => Event::Crash(node),
            1 => Event::Pause(node),
            2 => Event::Unpause(node),
            3 => Event::Cut(node, other),
            4 => Event::Mend(node, other),
            5 => Event::CutOutside(outsider, node),
            6 => Event::MendOutside(outsider, node),
            7 => Event::LoseVolume(node),
            8 => Event::PromoterDies(outsider),
            9 => Event::HealthDies(node),
            10 => Event::Enter(node),
            11 => Event::Start(node, seed),
            12 => Event::Heal(node, seed),
            13 => Event::Alarm(outsider),
            14 => Event::Promoter(outsider, seed),
            15 => Event::SessionEnds(node),
            16 => Event::Connect(node),
            17 => Event::HangUp(node),
            18 => Event::Stream(node, 1 + dice.roll(3)),
            19 => Event::Deliver(node, other),
            20 => Event::Write(node),
            21 => Event::Acknowledge(node),
            22 => Event::Isolate(node),
            23 => Event::Rejoin(node),
            24 => Event::Order(outsider, seed),
            25 => Event::Operator(seed),
            _ => Event::OperatorDies,
        };
        let times = if matches!(kind, 11 | 12 | 14 | 25) { 1 + dice.roll(self.burst) } else { 1 };
        (event, times)
    }
}

impl Event {
    /// The same event once more, with other chances.
    pub fn again(self, dice: &mut Dice) -> Event {
        match self {
            Event::Start(node, _) => Event::Start(node, dice.next()),
            Event::Heal(node, _) => Event::Heal(node, dice.next()),
            Event::Promoter(outsider, _) => Event::Promoter(outsider, dice.next()),
            Event::Operator(_) => Event::Operator(dice.next()),
            other => other,
        }
    }
}
