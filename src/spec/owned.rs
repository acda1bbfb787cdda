//! Parameters that pgcluster owns: a value from elsewhere would break a promise, so it is refused with the reason.

mod pgpool;
mod postgres;

pub use pgpool::OWNED_PGPOOL;
pub use postgres::OWNED_POSTGRES;

/// A parameter, or with a `*` at its end a family of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owned {
    pub name: &'static str,
    pub limit: Limit,
    /// Why, as it follows the parameter's name in a message.
    pub reason: &'static str,
    /// What to use instead.
    pub instead: &'static str,
}

/// How much of a parameter is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// All of it.
    Whole,
    /// The operator may choose among these values.
    Among(&'static [&'static str]),
    /// The same, in sync mode only.
    AmongInSyncMode(&'static [&'static str]),
}

impl Owned {
    fn covers(&self, name: &str) -> bool {
        match self.name.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == self.name,
        }
    }
}

/// The entry that covers this parameter; an exact name goes before a family.
pub(super) fn owner<'a>(table: &'a [Owned], name: &str) -> Option<&'a Owned> {
    table.iter().find(|owned| owned.name == name).or_else(|| table.iter().find(|owned| owned.covers(name)))
}

#[cfg(test)]
mod tests {
    use super::{OWNED_PGPOOL, OWNED_POSTGRES};

    #[test]
    fn every_entry_says_why_and_what_instead_and_is_there_once() {
        for table in [OWNED_POSTGRES, OWNED_PGPOOL] {
            for (index, owned) in table.iter().enumerate() {
                assert!(!owned.reason.is_empty() && !owned.instead.is_empty(), "{}", owned.name);
                assert!(table[..index].iter().all(|earlier| earlier.name != owned.name), "{} is there twice", owned.name);
            }
        }
    }
}
