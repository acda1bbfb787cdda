//! `act::heal`: one look, one decision, at most one action, one step at a time.

use std::time::Duration;

use pgcluster::model::{Epoch, NodeNumber, NodeState};
use pgcluster::plan::heal::{Action, Facts, Memory, heal};
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
    Looking {
        me: NodeState,
        read_only: bool,
        look: Look,
    },
    /// `register_standby` on the new primary comes first.
    Repointing {
        primary: usize,
        epoch: u64,
    },
    /// Orders to this node's own server, the next one last.
    Ordering(Vec<Order>),
    Electing(Box<Promoter>),
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
                Some(view) => self.heal_by(number, me, read_only, &view, dice),
            },
            Health::Repointing { primary, epoch } => {
                let up = &self.nodes[primary];
                let writable = up.is_primary() && up.server().is_some_and(|server| !server.conf.read_only);
                let orders = [Order::Promise(epoch), Order::Reload, Order::Point(Some(primary)), Order::Reload];
                let registered = writable && self.reaches(Place::Node(number), primary);
                registered.then(|| Health::Ordering(orders.into_iter().rev().collect()))
            }
            Health::Ordering(mut orders) => {
                let order = orders.pop()?;
                self.obey(number, order).then_some(Health::Ordering(orders))
            }
            Health::Electing(mut promoter) => promoter.go_on(self, dice).then_some(Health::Electing(promoter)),
        }
    }

    fn heal_by(
        &mut self,
        number: usize,
        mut me: NodeState,
        read_only: bool,
        view: &pgcluster::model::ClusterView,
        dice: &mut Dice,
    ) -> Option<Health> {
        if self.mutation == Mutation::FollowOlderReigns
            && let Some((_, primary)) = view.primary()
        {
            me.promised_epoch = Epoch(me.promised_epoch.0.min(primary.epoch().0));
        }
        let healing = heal(&Facts {
            number: NodeNumber(number as u32),
            me: &me,
            read_only,
            others: view,
            failover: FailoverMode::Auto,
            failover_after: Duration::from_secs(10),
            memory: self.memory(dice),
        });
        if healing.action != Action::Nothing {
            self.say(|| format!("    pg{:02} heal: {:?}, {}", number + 1, healing.action, healing.because));
        }
        match healing.action {
            Action::Nothing => None,
            Action::Restart => {
                self.nodes[number].kill();
                None
            }
            Action::FinishPromotion { epoch } => Some(Health::Ordering(begin_reign(epoch.0).into_iter().rev().collect())),
            Action::Repoint { primary, epoch } => Some(Health::Repointing { primary: primary.index(), epoch: epoch.0 }),
            Action::Elect => Some(Health::Electing(Box::new(Promoter::new(Place::Node(number), self.nodes.len())))),
        }
    }

    /// Any time may have passed.
    fn memory(&self, dice: &mut Dice) -> Memory {
        let long = Duration::from_secs(60);
        let mut some = || if self.calm || dice.one_in(2) { long } else { Duration::ZERO };
        Memory { without_primary: some(), contradicted: some(), not_streaming: some() }
    }
}
