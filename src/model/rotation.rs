//! Which of two passwords somebody takes, knows, or is ready for while `REPMGRPWD` changes.

/// Which password opens a server to role `repmgr`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// `REPMGRPWD`
    Wanted,
    /// The one before it.
    Previous,
}

/// What a primary's own verifiers were made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    Wanted,
    Previous,
    /// Something that this container was not told.
    Neither,
}

/// Whether a container may be faced with servers that take `REPMGRPWD` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knows {
    /// It was told the new password.
    Ready,
    /// It does not serve, and reads its environment when it starts.
    Away,
    /// Why not.
    NotYet(String),
}
