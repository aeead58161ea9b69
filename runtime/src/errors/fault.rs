//! [`Fault`]: what a domain error says.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// What a domain error says: a message for the caller, the fields that are wrong, and the error
/// behind it, which stays on this side of the wire.
#[derive(Clone, Debug)]
pub struct Fault {
    message: String,
    violations: Vec<FieldViolation>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// One field of a request that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Its path from the request: `items[3].price`.
    pub field: String,
    /// What is wrong with it, for a person.
    pub description: String,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            violations: Vec::new(),
            source: None,
        }
    }

    /// The message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The fields of the request that are wrong.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.violations
    }

    pub(super) fn source(&self) -> Option<&Arc<dyn Error + Send + Sync>> {
        self.source.as_ref()
    }

    pub(super) fn set_source(&mut self, source: Arc<dyn Error + Send + Sync>) {
        self.source = Some(source);
    }

    pub(super) fn push_violation(&mut self, violation: FieldViolation) {
        self.violations.push(violation);
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for FieldViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}
