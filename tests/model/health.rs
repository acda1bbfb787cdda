//! `act::heal`: one look, one decision, at most one action, one step at a time.

use std::time::Duration;

use pgcluster::model::{ClusterView, Epoch, NodeNumber, NodeState};
use pgcluster::plan::heal::{Action, Facts, Memory, heal, may_follow};
use pgcluster::spec::FailoverMode;

use crate::dice::Dice;
use crate::look::Look;
use crate::mutation::Mutation;
use crate::node::Order;
use crate::promoter::{Promoter, begin_reign};
use crate::world::{Place, World};

#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a few of them exist at a time")]
pub enum Health {
    Looking { me: NodeState, read_only: bool, look: Look },
    Acting(Acting),
    Electing(Box<Promoter>),
}

/// Steps on this node's own server; the first that fails is the last.
#[derive(Clone, Debug)]
pub struct Acting {
    /// In reverse.
    steps: Vec<Step>,
    view: ClusterView,
    primary: usize,
    /// The session that holds the lock, if it is taken.
    pub session: u64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// `register_standby` on the primary.
    Register,
    Lock,
    /// `may_follow`, with what this node is now.
    Compare,
    Send(Order),
}

impl World {
    /// One step of the running health check, or the first of a new one.
    pub fn go_on_healing(&mut self, number: usize, dice: &mut Dice) -> bool {
        let nodes = self.nodes.len();
        let node = &mut self.nodes[number];
        if node.paused || node.server().is_none() {
            return false;
        }
        let me = node.state(0).expect("a server has a state");
        let server = node.server_mut().expect("seen above");
        let read_only = server.conf.read_only;
        let begin = || Health::Looking { me, read_only, look: Look::at_others(Place::Node(number), nodes) };
        let health = server.health.take().map_or_else(begin, |health| *health);
        if let Some(next) = self.heal_on(number, health, dice)
            && let Some(server) = self.nodes[number].server_mut()
        {
            server.health = Some(Box::new(next));
        }
        true
    }

    fn heal_on(&mut self, number: usize, health: Health, dice: &mut Dice) -> Option<Health> {
        match health {
            Health::Looking { me, read_only, mut look } => match look.go_on(self, dice) {
                None => Some(Health::Looking { me, read_only, look }),
                Some(view) => self.heal_by(number, me, read_only, view, dice),
            },
            Health::Acting(mut acting) => {
                let goes_on = acting.steps.pop().is_some_and(|step| self.act(number, &acting, step));
                if !goes_on {
                    self.release(number, acting.session);
                }
                goes_on.then_some(Health::Acting(acting))
            }
            Health::Electing(mut promoter) => promoter.go_on(self, dice).then_some(Health::Electing(promoter)),
        }
    }

    fn heal_by(&mut self, number: usize, me: NodeState, read_only: bool, view: ClusterView, dice: &mut Dice) -> Option<Health> {
        let healing = heal(&Facts {
            number: NodeNumber(number as u32),
            me: &self.mutated(me, &view),
            read_only,
            others: &view,
            failover: FailoverMode::Auto,
            failover_after: Duration::from_secs(10),
            memory: self.memory(dice),
        });
        if healing.action != Action::Nothing {
            self.say(|| format!("    pg{:02} heal: {:?}, {}", number + 1, healing.action, healing.because));
        }
        let orders = |orders: Vec<Order>| orders.into_iter().map(Step::Send).collect::<Vec<_>>();
        let (primary, steps) = match healing.action {
            Action::Nothing => return None,
            Action::Restart => {
                self.nodes[number].kill();
                return None;
            }
            Action::Elect => {
                return Some(Health::Electing(Box::new(Promoter::new(Place::Node(number), self.nodes.len()))));
            }
            Action::FinishPromotion { epoch } => (number, orders(begin_reign(epoch.0))),
            Action::Repoint { primary, epoch } => {
                let freeze = [Order::Promise(epoch.0), Order::Point(None), Order::Reload].map(Step::Send);
                let follow = [Order::Reign(epoch.0), Order::Point(Some(primary.index())), Order::Reload].map(Step::Send);
                let steps = match self.mutation {
                    Mutation::HastyRepoint => vec![Step::Register, freeze[0]],
                    _ => [&[Step::Register, Step::Lock, Step::Compare][..], &freeze, &[Step::Compare]].concat(),
                };
                (primary.index(), [&steps[..], &follow].concat())
            }
        };
        let session = self.id();
        Some(Health::Acting(Acting { steps: steps.into_iter().rev().collect(), view, primary, session }))
    }

    fn act(&mut self, number: usize, acting: &Acting, step: Step) -> bool {
        let primary = acting.primary;
        match step {
            Step::Register => {
                let up = &self.nodes[primary];
                let writable = up.is_primary() && up.server().is_some_and(|server| !server.conf.read_only);
                let registered = writable && self.reaches(Place::Node(number), primary);
                if registered {
                    self.give_slot(primary, number);
                }
                registered
            }
            Step::Lock => self.try_lock(number, acting.session),
            Step::Compare => {
                let me = self.nodes[number].state(0).expect("a server has a state");
                may_follow(&self.mutated(me, &acting.view), NodeNumber(primary as u32), &acting.view).is_ok()
            }
            Step::Send(order) => self.obey(number, order),
        }
    }

    /// What this node believes of itself, if a rule is taken out.
    fn mutated(&self, mut me: NodeState, view: &ClusterView) -> NodeState {
        match (self.mutation, view.primary()) {
            (Mutation::FollowOlderReigns, Some((_, primary))) => me.promised_epoch = me.promised_epoch.min(primary.epoch()),
            (Mutation::NoReign, _) => me.reign = Epoch(0),
            _ => {}
        }
        me
    }

    /// Any time may have passed.
    fn memory(&self, dice: &mut Dice) -> Memory {
        let long = Duration::from_secs(60);
        let mut some = || if self.calm || dice.one_in(2) { long } else { Duration::ZERO };
        Memory { without_primary: some(), contradicted: some(), not_streaming: some() }
    }
}
