//! What an operator's order would do, as it is shown before anything is done.

/// A plan for a person: what was seen, what would happen, what to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a plan that nobody shows is a bug"]
pub struct Proposal {
    /// As it was given: `stop pg02`.
    pub order: String,
    pub because: String,
    pub outlook: Outlook,
    /// Node by node, in a few words.
    pub seen: Vec<(String, String)>,
    /// What would happen, in this order.
    pub steps: Vec<String>,
    /// What may be lost, or go otherwise.
    pub warnings: Vec<String>,
}

/// What becomes of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// It is so already.
    Nothing,
    /// It is done without a further word.
    Harmless,
    /// It is done after a person's consent.
    NeedsConsent,
    /// It is not done, or would not work now.
    Refused,
}
