//! The protocol as a whole: the real decisions over a small model of PostgreSQL, and everything that can go wrong between two steps.

mod dice;
mod entrypoint;
mod event;
mod health;
mod look;
mod mutation;
mod node;
mod operator;
mod promoter;
mod wal;
mod walk;
mod world;

use std::time::Instant;

use mutation::Mutation;
use walk::{Failure, Setup, Tally};

const STEPS_PER_WALK: usize = 2000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Walks until `steps` events were tried, or something fails.
fn explore(setup: Setup, steps: u64) -> (Tally, Option<Failure>) {
    let mut tally = Tally::default();
    let seed = number("MODEL_SEED", 1);
    while tally.steps < steps {
        let failure = setup.walk(seed + tally.walks, STEPS_PER_WALK, &mut tally);
        if failure.is_some() {
            return (tally, failure);
        }
    }
    (tally, None)
}

fn holds(nodes: usize, sync: bool) {
    let began = Instant::now();
    let setup = Setup { nodes, sync, mutation: Mutation::None };
    let (tally, failure) = explore(setup, number("MODEL_STEPS", 300_000));
    println!("{nodes} nodes, sync {sync}: {tally:?} in {:.1} s", began.elapsed().as_secs_f64());
    if let Some(failure) = failure {
        panic!("after {} steps: {}", tally.steps, failure.shrunk().story());
    }
    assert!(tally.promotions > 0 && tally.switchovers > 0 && tally.commits > 0, "nothing was put to the test: {tally:?}");
}

#[test]
fn two_nodes() {
    holds(2, true);
}

#[test]
fn two_nodes_asynchronous() {
    holds(2, false);
}

#[test]
fn three_nodes() {
    holds(3, true);
}

#[test]
fn four_nodes() {
    holds(4, true);
}

#[test]
fn five_nodes() {
    holds(5, true);
}

/// Without this rule the model must find a violation; within how many steps is printed.
fn notices(nodes: usize, mutation: Mutation) {
    let setup = Setup { nodes, sync: true, mutation };
    let (tally, failure) = explore(setup, 3_000_000);
    let Some(failure) = failure else { panic!("{nodes} nodes, {mutation:?}: nothing found in {tally:?}") };
    println!("{nodes} nodes, {mutation:?}: {} after {} steps, {} walks", failure.violation.invariant, tally.steps, tally.walks);
    if std::env::var("MODEL_STORY").is_ok() {
        println!("{}", failure.shrunk().story());
    }
}

#[test]
fn needs_the_promise() {
    notices(3, Mutation::NoPromise);
}

#[test]
fn needs_the_epoch_row() {
    notices(3, Mutation::NoEpochRow);
}

#[test]
fn needs_the_quorum() {
    notices(3, Mutation::SmallerQuorum);
}

#[test]
fn needs_older_reigns_to_be_left() {
    notices(3, Mutation::FollowOlderReigns);
}

#[test]
fn needs_a_second_look_before_pointing_anew() {
    notices(5, Mutation::HastyRepoint);
}

#[test]
fn needs_followers_to_be_compared() {
    notices(3, Mutation::PointEverybody);
}

#[test]
fn needs_slots_to_be_refused() {
    notices(5, Mutation::SlotsForEverybody);
}

#[test]
fn needs_the_reign() {
    notices(3, Mutation::NoReign);
}
