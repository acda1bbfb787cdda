//! `act::switchover`, one step at a time: an operator hands the primary over, and may die between any two of them.

use std::path::PathBuf;

use pgcluster::model::{ClusterView, NodeName, NodeNumber, NodeState, Reach, Readiness, Receiver, Role, Successor};
use pgcluster::plan::promotion;
use pgcluster::plan::switchover::{Facts, Plan, switchover};
use pgcluster::spec::{BackendFlag, Node};

use crate::dice::Dice;
use crate::look::Look;
use crate::node::{Order, host};
use crate::promoter::{Progress, Promoter, Session};
use crate::wal::Kind;
use crate::world::{Place, World};

#[derive(Clone, Debug)]
pub struct Operator {
    place: Place,
    stage: Stage,
    /// Sessions with the lock of promotions; they end with the command.
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
enum Stage {
    Asking {
        look: Look,
        wanted: Option<usize>,
    },
    /// Under the operators' lock.
    AskingAgain {
        look: Look,
        plan: Plan,
    },
    Locking {
        view: ClusterView,
        plan: Plan,
        left: Vec<usize>,
    },
    Reading {
        view: ClusterView,
        plan: Plan,
        states: Vec<NodeState>,
    },
    Promising {
        view: ClusterView,
        plan: Plan,
        nodes: Vec<Progress>,
    },
    Stopping {
        view: ClusterView,
        plan: Plan,
    },
    /// Until the standbys have everything.
    Receiving {
        view: ClusterView,
        plan: Plan,
        looks: usize,
    },
    PromotingLocked {
        promoter: Box<Promoter>,
        to: NodeNumber,
    },
    /// After a failed attempt, or to see that it did not fail.
    Promoting(Box<Promoter>),
}

/// Looks that a stop is waited for.
const PATIENCE: usize = 30;

impl Operator {
    pub fn new(place: Place, nodes: usize, dice: &mut Dice) -> Operator {
        let wanted = dice.one_in(2).then(|| dice.roll(nodes));
        Operator { place, stage: Stage::Asking { look: Look::at_all(place, nodes), wanted }, sessions: Vec::new() }
    }

    /// One step; false when the command has ended.
    pub fn go_on(&mut self, world: &mut World, dice: &mut Dice) -> bool {
        let idle = Stage::Asking { look: Look::at_all(self.place, 0), wanted: None };
        let next = match std::mem::replace(&mut self.stage, idle) {
            Stage::Asking { mut look, wanted } => match look.go_on(world, dice) {
                None => Ok(Stage::Asking { look, wanted }),
                Some(view) => plan(world, &view, wanted)
                    .map(|plan| Stage::AskingAgain { look: Look::at_all(self.place, world.nodes.len()), plan }),
            },
            Stage::AskingAgain { mut look, plan } => match look.go_on(world, dice) {
                None => Ok(Stage::AskingAgain { look, plan }),
                Some(view) => {
                    let left = plan.voters.iter().rev().map(|number| number.index()).collect();
                    Ok(Stage::Locking { view, plan, left })
                }
            },
            Stage::Locking { view, plan, left } => self.lock(world, view, plan, left),
            Stage::Reading { view, plan, states } => self.read(world, view, plan, states),
            Stage::Promising { view, plan, nodes } => self.promise(world, view, plan, nodes, dice),
            Stage::Stopping { view, plan } => self.stop(world, view, plan, dice),
            Stage::Receiving { view, plan, looks } => self.receive(world, view, plan, looks),
            Stage::PromotingLocked { mut promoter, to } => Ok(match promoter.go_on(world, dice) {
                true => Stage::PromotingLocked { promoter, to },
                false => Stage::Promoting(Box::new(Promoter::of_person(to, self.place, world.nodes.len()))),
            }),
            Stage::Promoting(mut promoter) => match promoter.go_on(world, dice) {
                true => Ok(Stage::Promoting(promoter)),
                false => Err("done".into()),
            },
        };
        match next {
            Ok(stage) => {
                self.stage = stage;
                true
            }
            Err(because) => {
                world.say(|| format!("    switchover ends: {because}"));
                self.leave(world);
                false
            }
        }
    }

    /// The sessions end. Where the server cannot know it, its lock stays for a while.
    pub fn leave(&mut self, world: &mut World) {
        if let Stage::PromotingLocked { promoter, .. } | Stage::Promoting(promoter) = &mut self.stage {
            promoter.leave(world);
        }
        for session in std::mem::take(&mut self.sessions) {
            if world.reaches(self.place, session.node) {
                world.release(session.node, session.id);
            }
        }
    }

    pub fn holds(&self, session: u64) -> bool {
        let promoters = match &self.stage {
            Stage::PromotingLocked { promoter, .. } | Stage::Promoting(promoter) => promoter.holds(session),
            _ => false,
        };
        promoters || self.sessions.iter().any(|own| own.id == session)
    }

    fn lock(&mut self, world: &mut World, view: ClusterView, plan: Plan, mut left: Vec<usize>) -> Result<Stage, String> {
        let Some(number) = left.pop() else {
            promotion::enough(self.sessions.len(), world.quorum)?;
            return Ok(Stage::Reading { view, plan, states: Vec::new() });
        };
        let session = world.session(number);
        if world.reaches(self.place, number) && world.try_lock(number, session.id) {
            self.sessions.push(session);
        }
        Ok(Stage::Locking { view, plan, left })
    }

    fn read(&mut self, world: &World, view: ClusterView, plan: Plan, mut states: Vec<NodeState>) -> Result<Stage, String> {
        if let Some(session) = self.sessions.get(states.len()) {
            states.push(world.read(self.place, session, 0).ok_or("a locked node does not answer")?);
            return Ok(Stage::Reading { view, plan, states });
        }
        if states.iter().any(|state| state.role == Role::Primary) {
            return Err("somebody was promoted meanwhile".into());
        }
        let orders = vec![Order::Promise(promotion::next_epoch(states.iter()).0), Order::Reload];
        let nodes = self.sessions.iter().map(|session| Progress::new(session.clone(), orders.clone())).collect();
        Ok(Stage::Promising { view, plan, nodes })
    }

    fn promise(
        &mut self,
        world: &mut World,
        view: ClusterView,
        plan: Plan,
        mut nodes: Vec<Progress>,
        dice: &mut Dice,
    ) -> Result<Stage, String> {
        let open: Vec<usize> = (0..nodes.len()).filter(|at| !nodes[*at].is_over()).collect();
        if open.is_empty() {
            return Ok(Stage::Stopping { view, plan });
        }
        match nodes[dice.pick(&open)].go_on(world, self.place, dice) {
            Some(false) => Err("a promise was not given".into()),
            Some(true) | None => Ok(Stage::Promising { view, plan, nodes }),
        }
    }

    /// The order may be carried out although nobody hears of it.
    fn stop(&mut self, world: &mut World, view: ClusterView, plan: Plan, dice: &mut Dice) -> Result<Stage, String> {
        let from = plan.from.index();
        let is_heard = world.reaches(self.place, from);
        if is_heard || dice.one_in(4) && !world.nodes[from].paused {
            world.shut_down(from, dice);
        }
        match is_heard {
            true => Ok(Stage::Receiving { view, plan, looks: 0 }),
            false => Err("the primary does not answer".into()),
        }
    }

    fn receive(&mut self, world: &mut World, view: ClusterView, plan: Plan, looks: usize) -> Result<Stage, String> {
        let mut is_streaming = false;
        for session in &self.sessions {
            let state = world.read(self.place, session, 0).ok_or("a locked node does not answer")?;
            is_streaming |= state.receiver_silent_ms.is_some();
        }
        let from = plan.from.index();
        if is_streaming || world.reaches(self.place, from) && world.nodes[from].server().is_some() {
            return match looks < PATIENCE {
                true => Ok(Stage::Receiving { view, plan, looks: looks + 1 }),
                false => Err("the primary did not end in time".into()),
            };
        }
        world.switchovers += 1;
        let sessions = std::mem::take(&mut self.sessions);
        let promoter = Promoter::of_locked(plan.to, self.place, without(view, plan.from), sessions);
        Ok(Stage::PromotingLocked { promoter: Box::new(promoter), to: plan.to })
    }
}

/// The view after that node was stopped.
fn without(mut view: ClusterView, number: NodeNumber) -> ClusterView {
    for (_, reach) in view.nodes.iter_mut().filter(|(n, _)| *n == number) {
        *reach = Reach::Silent { reason: "stopped for a switchover".into() };
    }
    view
}

/// Everybody has room for everybody, and whoever streams counts.
fn plan(world: &World, view: &ClusterView, wanted: Option<usize>) -> Result<Plan, String> {
    let nodes: Vec<Node> = world.nodes.iter().map(|node| as_listed(node.number)).collect();
    let row = |node: &Node| Receiver {
        name: node.name.to_string(),
        state: "streaming".into(),
        sync_state: "quorum".into(),
        replay_lag_s: None,
    };
    let room = Successor { slots: 9, senders: 9, unreplayed_bytes: 0, replay_paused: false };
    let readiness = Readiness {
        base_backups: 0,
        receivers: nodes.iter().map(row).collect(),
        standbys: nodes.iter().map(|node| (node.number, room)).collect(),
    };
    let wanted = wanted.map(|number| NodeNumber(number as u32));
    switchover(&Facts { view, nodes: &nodes, quorum: world.quorum, wanted, readiness: &readiness })
}

fn as_listed(number: usize) -> Node {
    Node {
        number: NodeNumber(number as u32),
        name: NodeName(host(number)),
        host: host(number),
        port: 5432,
        weight: 1.0,
        data_dir: PathBuf::from("/u01/pg17/data"),
        flag: BackendFlag::AllowToFailover,
    }
}

impl World {
    /// A fast shutdown: a last record, sent to whoever streams, and then the end. A network may break meanwhile.
    fn shut_down(&mut self, number: usize, dice: &mut Dice) {
        if self.nodes[number].server().is_none() {
            return;
        }
        if self.nodes[number].is_primary() {
            self.append(number, Kind::Commit);
        }
        for standby in 0..self.nodes.len() {
            let streams = self.nodes[standby].server().is_some_and(|server| server.receiver.is_some_and(|(up, _)| up == number));
            if streams && (self.calm || !dice.one_in(8)) {
                while self.stream(standby, 100) {}
            }
        }
        self.nodes[number].kill();
    }
}
