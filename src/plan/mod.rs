//! PURE. Decisions: facts in, verdict and reason out.

pub mod invocation;
pub mod pool;
pub mod provision;
pub mod start;
