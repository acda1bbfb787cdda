//! PURE. Decisions: facts in, verdict and reason out.

pub mod invocation;
pub mod provision;
pub mod start;
