//! Rules that can be taken out of the model, to see that it notices.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    None,
    /// A freeze clears the pointer, and raises no promise.
    NoPromise,
    /// Candidates are compared by timeline and position alone.
    NoEpochRow,
    /// A promotion needs one frozen standby less.
    SmallerQuorum,
    /// A start and a health check follow a primary of an older reign than they promised.
    FollowOlderReigns,
}
