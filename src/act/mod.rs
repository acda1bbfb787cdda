//! I/O out: one function per deed, no decisions.
