//! PURE. Decisions: facts in, verdict and reason out.

#[cfg(test)]
mod builders;
pub mod diagnose;
pub mod doctor;
pub mod explain;
pub mod fence;
pub mod floors;
pub mod forecast;
pub mod heal;
pub mod invocation;
pub mod metadata;
pub mod next_start;
pub mod pool;
pub mod promotion;
pub mod proposal;
pub mod provision;
pub mod reload;
pub mod rotation;
pub mod start;
pub mod switchover;
