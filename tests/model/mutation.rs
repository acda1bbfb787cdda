//! Rules that can be taken out of the model, to see that it notices.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(dead_code, reason = "not every mutation has its test yet")]
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
    /// A health check points at a primary without a lock and without a second look at its own data.
    HastyRepoint,
    /// A promoter points every frozen standby at the candidate, whatever it holds.
    PointEverybody,
    /// A candidate has slots for everybody.
    SlotsForEverybody,
    /// Histories are compared by numbers alone.
    NoReign,
}
