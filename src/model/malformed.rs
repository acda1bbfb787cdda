//! What is said when a noun of the cluster cannot be read from text.

/// `text` is not a `noun`; `expected` says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {noun} (expected {expected})")]
pub struct Malformed {
    pub noun: &'static str,
    pub text: String,
    pub expected: &'static str,
}
