//! One look at the cluster. Its questions are asked at once, but each is answered at its own moment.

use pgcluster::model::{ClusterView, NodeNumber, Reach, RoomState};

use crate::dice::Dice;
use crate::entrypoint::Stage;
use crate::node::{Process, host};
use crate::world::{Place, World};

#[derive(Clone, Debug)]
pub struct Look {
    from: Place,
    left: Vec<usize>,
    view: ClusterView,
}

impl Look {
    /// At everybody else, from a node; at all, from outside.
    pub fn at_others(from: Place, nodes: usize) -> Look {
        let me = match from {
            Place::Node(me) => Some(me),
            Place::Outside(_) => None,
        };
        Look::at((0..nodes).filter(|number| Some(*number) != me), from, nodes)
    }

    pub fn at_all(from: Place, nodes: usize) -> Look {
        Look::at(0..nodes, from, nodes)
    }

    fn at(whom: impl Iterator<Item = usize>, from: Place, nodes: usize) -> Look {
        let hosts = (0..nodes).map(|number| (NodeNumber(number as u32), host(number))).collect();
        Look { from, left: whom.collect(), view: ClusterView { nodes: Vec::new(), hosts } }
    }

    /// Some more answers; the view when all are there.
    pub fn go_on(&mut self, world: &World, dice: &mut Dice) -> Option<ClusterView> {
        let answers = if dice.one_in(3) { 1 } else { self.left.len() };
        for _ in 0..answers.min(self.left.len()) {
            let number = self.left.swap_remove(dice.roll(self.left.len()));
            self.view.nodes.push((NodeNumber(number as u32), answer(world, self.from, number, dice)));
        }
        if !self.left.is_empty() {
            return None;
        }
        self.view.nodes.sort_by_key(|(number, _)| *number);
        Some(self.view.clone())
    }
}

fn answer(world: &World, from: Place, number: usize, dice: &mut Dice) -> Reach {
    let node = &world.nodes[number];
    if !world.reaches(from, number) {
        return Reach::Silent { reason: "cut off".into() };
    }
    match &node.process {
        Process::Down => Reach::Silent { reason: "down".into() },
        Process::Entrypoint(entrypoint) => Reach::Waiting(match entrypoint.stage {
            Stage::Looking(_) | Stage::LookingAgain(_) => RoomState::of(&node.own_data(), ""),
            Stage::Cloning { .. } => RoomState::cloning(50, 1, None),
            Stage::Rewinding { .. } => RoomState::working("rewinding"),
            Stage::Joining { .. } => RoomState::working("joining"),
        }),
        Process::Starting => Reach::NotYet { reason: "the database system is starting up".into() },
        Process::Server(_) => match if world.calm { 1 } else { dice.roll(120) } {
            0 => Reach::Refused { reason: "too many clients".into() },
            60 => Reach::Untrusted { reason: "signed by nobody".into() },
            _ => Reach::Serving(Box::new(node.state(world.silence(dice)).expect("a server has a state"))),
        },
    }
}
