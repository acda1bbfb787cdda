//! PURE. Spec (+ view) → files. `quote` has one function per target grammar.

use std::fmt;
use std::path::PathBuf;

/// A configuration file as it shall be: the whole of it, nothing is merged with what is there.
#[derive(Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Absolute path.
    pub path: PathBuf,
    /// Permission bits, like `0o600`.
    pub mode: u32,
    /// The content, with its last newline.
    pub body: String,
}

/// Without the body: it may hold passwords, and `{:?}` ends up in logs.
impl fmt::Debug for RenderedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RenderedFile {{ {}, {:04o}, {} bytes }}", self.path.display(), self.mode, self.body.len())
    }
}
