//! What is wrong with the environment, said so that the reader can repair it. Never holds a secret.

use std::fmt;

use super::vars;

/// Longest piece of a value that a message repeats.
const VALUE_CHARS: usize = 200;

/// One broken rule: which variable, its value unless that is a secret, the rule, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name as the operator wrote it.
    pub variable: String,
    /// `None` for secrets and for names that we do not know (a mistyped name may hold a secret).
    pub value: Option<String>,
    pub rule: String,
    pub hint: String,
}

impl Violation {
    /// A rule that says it all without the value.
    pub fn new(variable: &str, rule: impl Into<String>, hint: impl Into<String>) -> Violation {
        Violation { variable: variable.to_owned(), value: None, rule: rule.into(), hint: hint.into() }
    }

    /// A rule about a value. The value of a secret variable is dropped here, whoever calls.
    pub fn of(variable: &str, value: &str, rule: impl Into<String>, hint: impl Into<String>) -> Violation {
        let known_and_open = vars::find(variable).is_some_and(|var| !var.is_secret());
        let value = known_and_open.then(|| value.to_owned());
        Violation { variable: variable.to_owned(), value, rule: rule.into(), hint: hint.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variable)?;
        if let Some(value) = &self.value {
            write!(f, "={}", quoted(value))?;
        }
        write!(f, ": {}", self.rule)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// `"text"` with control characters escaped and a long text cut: messages stay one line each.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// All that is wrong, in the order of [`vars::VARS`]; what is not in that table comes last, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    pub fn add(&mut self, violation: Violation) {
        self.0.push(violation);
    }

    pub fn extend(&mut self, others: Violations) {
        self.0.extend(others.0);
    }

    /// The value of a success; a failure is kept.
    pub fn take<T>(&mut self, result: Result<T, impl Into<Violations>>) -> Option<T> {
        result.map_err(|found| self.extend(found.into())).ok()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.0.iter()
    }

    /// `value` when nothing is wrong, else everything that is, in order and each once.
    pub(super) fn or<T>(mut self, value: Option<T>) -> Result<T, Violations> {
        match value {
            Some(value) if self.is_empty() => Ok(value),
            _ => {
                self.0.sort_by_cached_key(|violation| match vars::place(&violation.variable) {
                    Some(place) => (place, String::new()),
                    None => (usize::MAX, violation.variable.clone()),
                });
                let all = std::mem::take(&mut self.0);
                for violation in all {
                    if !self.0.contains(&violation) {
                        self.0.push(violation);
                    }
                }
                Err(self)
            }
        }
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Violations {
        Violations(vec![violation])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{violation}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}
