//! What PID 1 must get right, with real processes: signals across exec, children, the lock between containers, the user.
//!
//! The binary is its own helper: started with `--play <part>` it is the process under test, single-threaded from its first line on as
//! the real one is. Otherwise it runs the tests, or those whose name contains an argument.
#![allow(clippy::unwrap_used)]

mod command;
mod crowd;
mod fault_point;
mod hand_over;
mod lock;
mod play;
mod user;

use std::panic::catch_unwind;
use std::process::ExitCode;

/// A name and what it runs.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|arg| arg == "--play") {
        play::part(&args[1], &args[2..]);
        return ExitCode::SUCCESS;
    }
    let tests: Vec<Test> =
        [hand_over::TESTS, command::TESTS, lock::TESTS, user::TESTS, fault_point::TESTS, crowd::TESTS].concat();
    let filters: Vec<_> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let chosen: Vec<_> =
        tests.iter().filter(|test| filters.is_empty() || filters.iter().any(|filter| test.0.contains(*filter))).collect();
    if args.iter().any(|arg| arg == "--list") {
        chosen.iter().for_each(|test| println!("{}: test", test.0));
        return ExitCode::SUCCESS;
    }
    let failed: Vec<_> = chosen.iter().filter(|test| !passes(test)).collect();
    println!("\ntest result: {} of {} passed", chosen.len() - failed.len(), chosen.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn passes(&(name, run): &Test) -> bool {
    let passed = catch_unwind(run).is_ok();
    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
    passed
}
