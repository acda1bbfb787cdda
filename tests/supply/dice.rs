//! Values from a fixed seed: the same in every run.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// `count` texts of this regular expression.
pub fn texts(pattern: &'static str, count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| pattern.new_tree(&mut runner).expect("a pattern").current()).collect()
}
