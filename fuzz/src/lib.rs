//! What the targets share.

#[path = "../../tests/render/facts.rs"]
mod facts;

pub use facts::{pgpool_facts, postgres_facts};

/// Between the texts of one input: ASCII's record separator, so that a seed is still a text.
const SEPARATOR: char = '\u{1e}';

/// The texts of an input; those that are missing are empty.
pub fn texts<const N: usize>(input: &str) -> [&str; N] {
    let mut parts = input.splitn(N, SEPARATOR);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}
