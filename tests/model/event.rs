//! Everything that can happen next.

use crate::dice::Dice;
use crate::health::Health;
use crate::node::Process;
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
    CutOutside(usize, usize),
    MendOutside(usize, usize),
    LoseVolume(usize),
    PromoterDies(usize),
    HealthDies(usize),
    // Time.
    Enter(usize),
    Start(usize, u64),
    Heal(usize, u64),
    Alarm(usize),
    Promoter(usize, u64),
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

    pub fn end_health(&mut self, node: usize) -> bool {
        let health = self.nodes[node].server_mut().and_then(|server| server.health.take());
        match health.map(|health| *health) {
            None => false,
            Some(Health::Electing(mut promoter)) => {
                promoter.leave(self);
                true
            }
            Some(Health::Looking { .. } | Health::Repointing { .. } | Health::Ordering(_)) => true,
        }
    }

    /// A lock whose session nobody holds any more. A paused server notices nothing.
    pub fn end_dead_session(&mut self, node: usize) -> bool {
        let Some(lock) = self.nodes[node].server().and_then(|server| server.lock) else { return false };
        let outside = self.promoters.iter().flatten().any(|promoter| promoter.holds(lock));
        let inside = self.nodes.iter().filter_map(|node| node.server()?.health.as_deref()).any(|health| match health {
            Health::Electing(promoter) => promoter.holds(lock),
            Health::Looking { .. } | Health::Repointing { .. } | Health::Ordering(_) => false,
        });
        if outside || inside || self.nodes[node].paused {
            return false;
        }
        self.nodes[node].server_mut().expect("it has a lock").lock = None;
        true
    }
}

impl Event {
    /// Something that might happen in a cluster of this size; a fault once in `peace` events, and its end more often.
    pub fn any(nodes: usize, peace: usize, dice: &mut Dice) -> Event {
        let (node, other, outsider, seed) = (dice.roll(nodes), dice.roll(nodes), dice.roll(OUTSIDERS), dice.next());
        if dice.one_in(peace) {
            return match dice.roll(16) {
                0..4 => Event::Crash(node),
                4..6 => Event::Pause(node),
                6..10 => Event::Cut(node, other),
                10..12 => Event::CutOutside(outsider, node),
                12 => Event::LoseVolume(node),
                13..15 => Event::PromoterDies(outsider),
                _ => Event::HealthDies(node),
            };
        }
        match dice.roll(200) {
            0..4 => Event::Unpause(node),
            4..12 => Event::Mend(node, other),
            12..16 => Event::MendOutside(outsider, node),
            16..26 => Event::Enter(node),
            26..56 => Event::Start(node, seed),
            56..80 => Event::Heal(node, seed),
            80..84 => Event::Alarm(outsider),
            84..114 => Event::Promoter(outsider, seed),
            114..120 => Event::SessionEnds(node),
            120..140 => Event::Connect(node),
            140..145 => Event::HangUp(node),
            145..160 => Event::Stream(node, 1 + dice.roll(3)),
            160..175 => Event::Deliver(node, other),
            175..187 => Event::Write(node),
            _ => Event::Acknowledge(node),
        }
    }
}
