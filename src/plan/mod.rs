//! PURE. Decisions: facts in, verdict and reason out.

pub mod provision;
pub mod start;
