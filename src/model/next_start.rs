//! What a container would do if it started now. The serialized form is that of `plan --json`.

use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NextStart {
    pub node: String,
    pub verdict: String,
    pub because: String,
    /// What it would come to if nothing changes, where it would wait at first.
    pub later: Option<Later>,
    /// Of a database container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_data: Option<String>,
    /// Of a pgpool container: how it would have each backend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backends: Option<Vec<String>>,
    pub others: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Later {
    pub after_s: u64,
    pub verdict: String,
    pub because: String,
}
