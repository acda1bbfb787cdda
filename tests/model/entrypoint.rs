//! `act::start`: look, decide with the real decision, do it step by step, exec the server.

use std::time::Duration;

use pgcluster::model::{Epoch, OwnData};
use pgcluster::plan::start::{Order as Wish, PATIENCE, StartFacts, Verdict, start};

use crate::dice::Dice;
use crate::look::Look;
use crate::mutation::Mutation;
use crate::node::{Conf, Disk, Process, Server};
use crate::wal::{Kind, Wal};
use crate::world::{Place, Violation, World};

#[derive(Clone, Debug)]
pub struct Entrypoint {
    pub stage: Stage,
}

#[derive(Clone, Debug)]
pub enum Stage {
    Looking(Look),
    /// `is_still_alone`: the last look before a former primary resumes.
    LookingAgain(Look),
    /// pg_basebackup runs, against this life of the source.
    Cloning {
        from: usize,
        life: u64,
        epoch: u64,
    },
    /// pg_rewind runs.
    Rewinding {
        from: usize,
        life: u64,
        epoch: u64,
    },
    /// Pointed at the upstream, on the way to register there.
    Joining {
        upstream: usize,
    },
}

impl World {
    /// The container starts.
    pub fn enter(&mut self, number: usize) -> bool {
        let is_down = matches!(self.nodes[number].process, Process::Down);
        if is_down {
            self.look_around(number);
        }
        is_down
    }

    fn look_around(&mut self, number: usize) {
        let look = Look::at_others(Place::Node(number), self.nodes.len());
        self.nodes[number].process = Process::Entrypoint(Box::new(Entrypoint { stage: Stage::Looking(look) }));
    }

    /// One step of the entrypoint, or of the server that it became.
    pub fn go_on_starting(&mut self, number: usize, dice: &mut Dice) -> Result<bool, Violation> {
        if self.nodes[number].paused {
            return Ok(false);
        }
        let stage = match std::mem::replace(&mut self.nodes[number].process, Process::Down) {
            Process::Entrypoint(entrypoint) => entrypoint.stage,
            Process::Starting => {
                self.serve(number);
                return Ok(true);
            }
            other => {
                self.nodes[number].process = other;
                return Ok(false);
            }
        };
        match stage {
            Stage::Looking(mut look) => match look.go_on(self, dice) {
                None => self.stay(number, Stage::Looking(look)),
                Some(view) => self.decide(number, &view, dice)?,
            },
            Stage::LookingAgain(mut look) => match look.go_on(self, dice) {
                None => self.stay(number, Stage::LookingAgain(look)),
                Some(view) if view.primary().is_some() => self.look_around(number),
                Some(_) => self.nodes[number].process = Process::Starting,
            },
            Stage::Cloning { from, life, epoch } => self.clone_from(number, from, life, epoch),
            Stage::Rewinding { from, life, epoch } => self.rewind_onto(number, from, life, epoch)?,
            Stage::Joining { upstream } => self.register(number, upstream),
        }
        Ok(true)
    }

    fn stay(&mut self, number: usize, stage: Stage) {
        self.nodes[number].process = Process::Entrypoint(Box::new(Entrypoint { stage }));
    }

    fn decide(&mut self, number: usize, view: &pgcluster::model::ClusterView, dice: &mut Dice) -> Result<(), Violation> {
        let mut own = self.nodes[number].own_data();
        if self.mutation == Mutation::FollowOlderReigns
            && let Some((_, primary)) = view.primary()
        {
            forget_promise(&mut own, primary.epoch());
        }
        // Waiting longer than for confirmation is not in the guarantee: see the module documentation.
        let waited = if self.calm { PATIENCE } else { dice.pick(&[Duration::ZERO, PATIENCE]) };
        let me = self.nodes[number].me(self.quorum);
        let plan = start(&StartFacts { me: &me, own: &own, others: view, waited, order: Wish::None });
        self.say(|| format!("    pg{:02} start: {:?}, {}", number + 1, plan.verdict, plan.because));
        match plan.verdict {
            Verdict::Wait => self.look_around(number),
            Verdict::Refuse => return Err(Violation::new("I3", format!("node {number} refuses: {}", plan.because))),
            Verdict::Initdb => self.initdb(number)?,
            Verdict::Clone { from, epoch } => {
                let (from, epoch) = (from.index(), epoch.0);
                self.stay(number, Stage::Cloning { from, life: self.nodes[from].life, epoch });
            }
            Verdict::Rewind { from, epoch } => {
                let (from, epoch) = (from.index(), epoch.0);
                self.stay(number, Stage::Rewinding { from, life: self.nodes[from].life, epoch });
            }
            Verdict::Follow { upstream, epoch } => self.point_at(number, upstream.index(), epoch.0),
            Verdict::Resume => {
                let look = Look::at_others(Place::Node(number), self.nodes.len());
                self.stay(number, Stage::LookingAgain(look));
            }
            Verdict::Standby => self.nodes[number].process = Process::Starting,
            Verdict::Park => {
                let disk = self.nodes[number].disk.as_mut().expect("parked data");
                (disk.conf.upstream, disk.standby) = (None, true);
                self.nodes[number].process = Process::Starting;
            }
        }
        Ok(())
    }

    fn initdb(&mut self, number: usize) -> Result<(), Violation> {
        self.systems += 1;
        if self.systems > 1 {
            return Err(Violation::new("I3", format!("node {number} runs a second initdb")));
        }
        let wal = Wal(vec![self.entry(1, Kind::Begin), self.entry(1, Kind::Row(1))]);
        let conf = Conf { promised: 1, upstream: None, read_only: false };
        let disk = Disk { system: self.systems, wal, standby: false, conf, known_timeline: 1, half_rewound: false };
        self.nodes[number].disk = Some(disk);
        self.nodes[number].process = Process::Starting;
        Ok(())
    }

    /// `recovery::point_at`, then `register::register_standby`.
    fn point_at(&mut self, number: usize, upstream: usize, epoch: u64) {
        let disk = self.nodes[number].disk.as_mut().expect("data to point");
        disk.conf = Conf { promised: epoch, upstream: Some(upstream), read_only: false };
        (disk.standby, disk.half_rewound) = (true, false);
        self.stay(number, Stage::Joining { upstream });
    }

    /// Writes to the primary; whoever cannot, starts over.
    fn register(&mut self, number: usize, upstream: usize) {
        let writable = |node: &crate::node::Node| node.is_primary() && node.server().is_some_and(|s| !s.conf.read_only);
        let registered = self.reaches(Place::Node(number), upstream) && writable(&self.nodes[upstream]);
        match registered {
            true => self.nodes[number].process = Process::Starting,
            false => self.nodes[number].kill(),
        }
    }

    /// The end of pg_basebackup: everything that the source had, unless it went away meanwhile. Interrupted, it leaves what was there.
    fn clone_from(&mut self, number: usize, from: usize, life: u64, epoch: u64) {
        let source = &self.nodes[from];
        if !self.reaches(Place::Node(number), from) || source.life != life || source.server().is_none() {
            self.nodes[number].kill();
            return;
        }
        let copy = source.disk.clone();
        self.nodes[number].disk = copy;
        self.lost_volumes.retain(|lost| *lost != number);
        self.point_at(number, from, epoch);
    }

    fn rewind_onto(&mut self, number: usize, from: usize, life: u64, epoch: u64) -> Result<(), Violation> {
        let source = &self.nodes[from];
        let (Some(own), Some(theirs)) = (self.nodes[number].disk.as_ref(), source.disk.as_ref()) else {
            self.nodes[number].kill();
            return Ok(());
        };
        if !self.reaches(Place::Node(number), from) || source.life != life || source.server().is_none() {
            // Killed while it wrote: the settings may be the source's already.
            let promised = own.conf.promised.max(theirs.conf.promised);
            self.nodes[number].disk.as_mut().expect("seen above").conf.promised = promised;
            self.spoil(number);
            self.nodes[number].kill();
            return Ok(());
        }
        let mut wal = own.wal.clone();
        if let Some(point) = own.wal.rewind_point(&theirs.wal) {
            wal.0.truncate(point);
            wal.0.extend(&theirs.wal.0[point..]);
        }
        if !wal.is_prefix_of(&theirs.wal) {
            let text = format!("pg_rewind of node {number} onto node {from} leaves what is not on it");
            return Err(Violation::new("I4", text));
        }
        let disk = self.nodes[number].disk.as_mut().expect("seen above");
        disk.wal = wal;
        self.point_at(number, from, epoch);
        Ok(())
    }

    /// The server answers.
    fn serve(&mut self, number: usize) {
        let nodes = self.nodes.len();
        let conf = self.nodes[number].disk.as_ref().expect("a server has data").conf;
        let server = Server { conf, in_flight: vec![0; nodes], reported: vec![0; nodes], ..Server::default() };
        self.nodes[number].process = Process::Server(server);
    }
}

/// As if nothing above `epoch` had been promised.
fn forget_promise(own: &mut OwnData, epoch: Epoch) {
    match own {
        OwnData::Valid(own) => own.promised_epoch = own.promised_epoch.min(epoch),
        OwnData::Unfinished { promised_epoch } => *promised_epoch = epoch.min(*promised_epoch),
        OwnData::None => {}
    }
}
