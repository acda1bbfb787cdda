//! PURE. Spec (+ view) → files. `quote` has one function per target grammar.
