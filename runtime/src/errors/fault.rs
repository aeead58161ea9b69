//! [`Fault`]: what a domain error says.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a domain error says: a message for the caller, the fields that are wrong, when to try again,
/// and the error behind it, which stays on this side of the wire.
///
/// Boxed: an error is moved through every call, the good ones too.
#[derive(Clone, Debug)]
pub struct Fault(Box<Said>);

#[derive(Clone, Debug)]
struct Said {
    message: String,
    violations: Vec<FieldViolation>,
    retry_delay: Option<Duration>,
    already_retried: bool,
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
        Self(Box::new(Said {
            message: message.into(),
            violations: Vec::new(),
            retry_delay: None,
            already_retried: false,
            source: None,
        }))
    }

    /// The message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The fields of the request that are wrong.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// How long to wait before the next try, where that is known.
    #[must_use]
    pub fn retry_delay(&self) -> Option<Duration> {
        self.0.retry_delay
    }

    /// Whether somebody nearer to the fault has retried already.
    #[must_use]
    pub fn is_already_retried(&self) -> bool {
        self.0.already_retried
    }

    pub(super) fn source(&self) -> Option<&Arc<dyn Error + Send + Sync>> {
        self.0.source.as_ref()
    }

    pub(super) fn set_source(&mut self, source: Arc<dyn Error + Send + Sync>) {
        self.0.source = Some(source);
    }

    pub(super) fn set_retry_delay(&mut self, delay: Option<Duration>) {
        self.0.retry_delay = delay;
    }

    pub(super) fn set_already_retried(&mut self, already_retried: bool) {
        self.0.already_retried = already_retried;
    }

    pub(super) fn push_violation(&mut self, violation: FieldViolation) {
        self.0.violations.push(violation);
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Display for FieldViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.description)
    }
}
