//! Random walks: chaos, then calm; and the shortest trace that still fails.

use std::fmt::Write as _;

use crate::dice::Dice;
use crate::event::{Event, Habits};
use crate::mutation::Mutation;
use crate::world::{OUTSIDERS, Place, Violation, World};

#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub nodes: usize,
    pub sync: bool,
    pub mutation: Mutation,
}

#[derive(Clone, Debug)]
pub struct Failure {
    pub setup: Setup,
    pub seed: u64,
    pub events: Vec<Event>,
    pub violation: Violation,
}

/// What a number of walks came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub steps: u64,
    pub walks: u64,
    pub promotions: u64,
    pub switchovers: u64,
    pub commits: u64,
}

/// Rounds of calm after which everything must be well again.
const PATIENCE: usize = 40;

impl Setup {
    fn world(self) -> World {
        World::new(self.nodes, self.sync, self.mutation)
    }

    /// One walk: a new cluster forms in calm (mostly), then `steps` events, then calm again.
    pub fn walk(self, seed: u64, steps: usize, tally: &mut Tally) -> Option<Failure> {
        let mut dice = Dice(seed ^ (self.nodes as u64) << 56);
        let habits = Habits::any(&mut dice);
        let mut world = self.world();
        let mut events = Vec::new();
        let mut violation = world.settle().err();
        let mut tries = 0;
        while events.len() < steps && tries < 20 * steps && violation.is_none() {
            let (mut event, times) = habits.next(&world, &mut dice);
            for _ in 0..times {
                tries += 1;
                match world.happen(event) {
                    Ok(false) => break,
                    Ok(true) => events.push(event),
                    Err(found) => {
                        events.push(event);
                        violation = Some(found);
                        break;
                    }
                }
                event = event.again(&mut dice);
            }
        }
        let violation = violation.or_else(|| world.settle().err());
        tally.steps += events.len() as u64;
        tally.walks += 1;
        tally.promotions += world.promotions as u64;
        tally.switchovers += world.switchovers as u64;
        tally.commits += world.commits_acknowledged as u64;
        violation.map(|violation| Failure { setup: self, seed, events, violation })
    }

    /// The violation that these events lead to.
    fn replay(self, events: &[Event], story: Option<&mut String>) -> Option<Violation> {
        let mut world = self.world();
        if let Err(violation) = world.settle() {
            return Some(violation);
        }
        world.story = story.is_some().then(Vec::new);
        let mut violation = None;
        for event in events {
            match world.happen(*event) {
                Ok(happened) => world.say(|| format!("{event:?}{}", if happened { "" } else { " (nothing)" })),
                Err(found) => {
                    world.say(|| format!("{event:?}"));
                    violation = Some(found);
                    break;
                }
            }
        }
        let violation = violation.or_else(|| world.settle().err());
        if let Some(story) = story {
            *story = world.story.take().unwrap_or_default().join("\n");
            for node in &world.nodes {
                let _ = write!(story, "\n  node {}: {:?}", node.number, node.disk.as_ref().map(|disk| (disk.standby, disk.conf)));
                let _ = write!(story, " {:?}", node.wal().map(|wal| wal.0.iter().map(short).collect::<Vec<_>>().join(" ")));
            }
        }
        violation
    }
}

fn short(entry: &crate::wal::Entry) -> String {
    format!("{}:{:?}@{}", entry.id, entry.kind, entry.timeline)
}

impl Failure {
    /// Leaves out whatever is not needed, in ever smaller pieces, as long as the same invariant breaks.
    pub fn shrunk(mut self) -> Failure {
        let mut size = self.events.len() / 2;
        let mut tries = 0;
        while size > 0 {
            let mut at = 0;
            while at < self.events.len() && tries < 20_000 {
                tries += 1;
                let mut fewer = self.events.clone();
                fewer.drain(at..(at + size).min(self.events.len()));
                match self.setup.replay(&fewer, None) {
                    Some(violation) if violation.invariant == self.violation.invariant => {
                        (self.events, self.violation) = (fewer, violation);
                    }
                    Some(_) | None => at += size,
                }
            }
            size /= 2;
        }
        self
    }

    pub fn story(&self) -> String {
        let mut story = String::new();
        self.setup.replay(&self.events, Some(&mut story));
        let Failure { setup, seed, events, violation } = self;
        format!("{setup:?}, seed {seed}, {} events:\n{story}\n{}: {}", events.len(), violation.invariant, violation.text)
    }
}

impl World {
    /// The faults are over. Within a bounded time there is one writable primary that everybody follows, and it holds everything.
    pub fn settle(&mut self) -> Result<(), Violation> {
        self.calm = true;
        let nodes = self.nodes.len();
        (self.cut, self.outside_cut) = (vec![vec![false; nodes]; nodes], vec![vec![false; nodes]; OUTSIDERS]);
        for node in 0..nodes {
            self.unpause(node);
        }
        for promoter in 0..OUTSIDERS {
            self.happen(Event::PromoterDies(promoter))?;
        }
        self.happen(Event::OperatorDies)?;
        for node in 0..nodes {
            self.end_health(node);
        }
        let mut dice = Dice(self.commits_acknowledged as u64);
        for _ in 0..PATIENCE {
            if self.is_well()? {
                self.calm = false;
                return Ok(());
            }
            self.quiet_round(&mut dice)?;
        }
        let states: Vec<String> = self.nodes.iter().map(|node| format!("{:?}", node.process)).collect();
        Err(Violation::new("stuck", states.join("\n")))
    }

    fn quiet_round(&mut self, dice: &mut Dice) -> Result<(), Violation> {
        for node in 0..self.nodes.len() {
            self.enter(node);
            for _ in 0..8 {
                self.go_on_starting(node, dice)?;
            }
            self.replicate()?;
            self.end_dead_session(node);
        }
        for node in 0..self.nodes.len() {
            self.go_on_healing(node, dice);
            while self.nodes[node].server().is_some_and(|server| server.health.is_some()) {
                self.go_on_healing(node, dice);
            }
            self.replicate()?;
        }
        Ok(())
    }

    fn replicate(&mut self) -> Result<(), Violation> {
        let nodes = self.nodes.len();
        for node in 0..nodes {
            self.hang_up(node);
            self.connect(node)?;
            while self.stream(node, 100) {}
        }
        for (primary, standby) in (0..nodes).flat_map(|primary| (0..nodes).map(move |standby| (primary, standby))) {
            self.deliver(primary, standby);
        }
        for node in 0..nodes {
            self.acknowledge(node)?;
        }
        Ok(())
    }

    /// One primary that everybody streams from, and a commit on it that is acknowledged.
    fn is_well(&mut self) -> Result<bool, Violation> {
        let primaries: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_primary()).collect();
        let [primary] = primaries[..] else { return Ok(false) };
        let follows = |node: &crate::node::Node| {
            node.server().is_some_and(|s| s.receiver == Some((primary, self.nodes[primary].life)) && s.health.is_none())
        };
        if !self.nodes.iter().filter(|node| node.number != primary).all(follows) || !self.write(primary) {
            return Ok(false);
        }
        let before = self.commits_acknowledged;
        self.replicate()?;
        Ok(self.commits_acknowledged > before && self.reaches(Place::Outside(0), primary))
    }
}
