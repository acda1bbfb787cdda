//! Many random faults in one long run under clients that count: `make soak`.
//!
//! Set from outside: `SOAK_MINUTES` (35) and `SOAK_FAULTS` (300), whichever is over first; `SOAK_SEED` (of the moment; printed).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::build::{Cluster, POOL};
use crate::docker::wait_until;
use crate::writers::Writers;

/// From the end of a fault until every oracle is content.
const HEALING: Duration = Duration::from_secs(120);

/// What is done to a container; all but `Crash` are undone by somebody.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// SIGKILL, as an operator's `docker kill`: it stays down until it is started.
    Kill,
    /// SIGKILL from the host, as by the OOM killer: Docker starts it again.
    Crash,
    Stop,
    Pause,
    Cut,
}

const FAULTS: [Fault; 5] = [Fault::Kill, Fault::Crash, Fault::Stop, Fault::Pause, Fault::Cut];

impl Fault {
    fn strike(self, cluster: &Cluster, name: &str) {
        // A node that rejoins because of the fault before is between two starts for a moment.
        wait_until(&format!("{name} runs"), HEALING, || cluster.is_running(name).then_some(()));
        match self {
            Fault::Kill => cluster.kill(name),
            Fault::Crash => cluster.crash_from_host(name),
            Fault::Stop => drop(cluster.stop(name)),
            Fault::Pause => cluster.pause(name),
            Fault::Cut => cluster.cut(name),
        }
    }

    fn undo(self, cluster: &Cluster, name: &str) {
        match self {
            Fault::Kill | Fault::Stop => cluster.start(name),
            Fault::Crash => {}
            Fault::Pause => cluster.unpause(name),
            Fault::Cut => cluster.heal(name),
        }
    }
}

/// xorshift64*: a run can be repeated by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides
    }

    fn pause(&mut self, longest_ms: usize) {
        std::thread::sleep(Duration::from_millis(self.roll(longest_ms) as u64));
    }
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
#[ignore = "make soak"]
fn nothing_acknowledged_is_lost_in_any_of_many_faults() {
    let seed = setting("SOAK_SEED", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let (minutes, faults) = (setting("SOAK_MINUTES", 35), setting("SOAK_FAULTS", 300) as usize);
    println!("seed {seed}, at most {faults} faults or {minutes} minutes");
    let mut dice = Dice(seed | 1);
    let cluster = Cluster::nodes("soak", 3).pgpool().env("FAILOVER_MODE", "auto").restart("unless-stopped").up();
    cluster.wait_healthy("pg01");
    let writers = Writers::everywhere(&cluster);
    let began = Instant::now();
    let (mut done, mut primary) = (0, "pg01".to_string());
    while done < faults && began.elapsed() < Duration::from_secs(minutes * 60) {
        let struck = draw(&mut dice, &primary);
        done += struck.len();
        primary = survive(&cluster, &mut dice, &struck, &primary, done);
    }
    let report = writers.finish();
    let lost = report.lost(&cluster);
    let stale = report.out_of_reign();
    println!(
        "{done} faults in {:.1} min: {} rows acknowledged ({:?}), longest gap {:.1?}, {} lost, {} acknowledged by a deposed primary",
        began.elapsed().as_secs_f64() / 60.0,
        report.acks.len(),
        report.per_node(),
        report.longest_gap(),
        lost.len(),
        stale.len()
    );
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    assert!(stale.is_empty(), "acknowledged after a later reign had begun: {stale:?}");
}

/// One fault, or two that overlap: another container's, which may be the one that the first leaves in charge.
fn draw(dice: &mut Dice, primary: &str) -> Vec<(Fault, String)> {
    // Half of all faults hit the primary.
    let names = [primary, primary, primary, "pg01", "pg02", "pg03", POOL];
    let mut draw = || (FAULTS[dice.roll(FAULTS.len())], names[dice.roll(names.len())].to_string());
    let (first, second) = (draw(), draw());
    match dice.roll(4) == 0 && first.1 != second.1 {
        true => vec![first, second],
        false => vec![first],
    }
}

/// Strikes, undoes, and waits until all are well; who is primary then.
fn survive(cluster: &Cluster, dice: &mut Dice, struck: &[(Fault, String)], primary: &str, number: usize) -> String {
    let began = Instant::now();
    for (fault, name) in struck {
        fault.strike(cluster, name);
        dice.pause(400);
    }
    // A pause or a cut that is shorter than anybody's patience, or longer.
    let is_lasting = struck.iter().any(|(fault, _)| matches!(fault, Fault::Pause | Fault::Cut));
    dice.pause(if is_lasting { 9000 } else { 2500 });
    struck.iter().for_each(|(fault, name)| fault.undo(cluster, name));
    let undone = Instant::now();
    let next = wait_until_well(cluster, &format!("after {struck:?}"));
    println!(
        "{number}: {struck:?} while {primary} was primary: {next} is, all well {:.1} s after the end, {:.1} s in all",
        undone.elapsed().as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
    next
}

/// The primary of a cluster with which psql, repmgr and pgpool are content.
fn wait_until_well(cluster: &Cluster, when: &str) -> String {
    let began = Instant::now();
    loop {
        let primary = cluster.primary();
        let illness = match &primary {
            None => Some("nobody is primary".to_string()),
            Some(primary) => cluster.find_illness(primary).or_else(|| cluster.find_pool_illness(primary)),
        };
        match (illness, primary) {
            (None, Some(primary)) => return primary,
            (illness, _) => assert!(began.elapsed() < HEALING, "{when}: not well after {HEALING:?}: {illness:?}"),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
