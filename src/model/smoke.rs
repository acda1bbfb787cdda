//! What `smoke` tried.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SmokeStep {
    /// The node, or `pgpool`.
    pub place: String,
    pub what: &'static str,
    pub ok: bool,
    /// What was seen, or the error.
    pub detail: String,
    pub ms: u64,
}
