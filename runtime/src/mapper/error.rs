//! [`MapError`]: everything that is wrong with a message, or with an entity.

use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::DomainError;

/// So many violations are kept of one message; of the rest, their number. A message of a few
/// megabytes can have millions.
const MAX_VIOLATIONS: usize = 100;

/// Why a message is no entity, or an entity no message: every field that is wrong.
///
/// A server answers it with `INVALID_ARGUMENT` and `google.rpc.BadRequest`.
#[derive(Clone, Debug)]
pub struct MapError(Box<Violations>);

#[derive(Clone, Debug, Default)]
struct Violations {
    kept: Vec<Violation>,
    /// How many there were beyond those.
    more: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub struct Violation {
    path: String,
    kind: ViolationKind,
    description: String,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ViolationKind {
    /// It is required, and not there.
    Missing,
    /// It is not what its field's format says.
    Malformed,
    /// It is outside of what its type can hold.
    OutOfRange,
    /// It is a number that its enum doesn't have.
    UnknownEnumValue,
    /// It is there twice.
    Duplicate,
    /// It may not be said here: an unknown path of a mask, a field that never changes.
    NotAllowed,
}

/// An error of mapping that learns where it happened: [`MapError`], or
/// [`Infallible`] where there can be none.
pub trait Unmappable: Into<MapError> + sealed::Sealed {
    /// The same error, one level up: `price` is `items[3].price` at `items[3]`.
    #[must_use]
    fn at(self, segment: impl fmt::Display) -> Self;

    /// The same without what may hold parts of a secret: the errors behind it, and of its path what
    /// comes after the first text key of a map.
    #[must_use]
    fn of_a_secret(self) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::MapError {}
    impl Sealed for std::convert::Infallible {}
}

impl MapError {
    /// One thing that is wrong with the value itself; `description` follows the field's name:
    /// `must not be empty`.
    #[cold]
    #[must_use]
    pub fn new(kind: ViolationKind, description: impl Into<String>) -> Self {
        Self(Box::new(Violations {
            kept: vec![Violation {
                path: String::new(),
                kind,
                description: description.into(),
                source: None,
            }],
            more: 0,
        }))
    }

    /// A required value is not there.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn missing() -> Self {
        Self::new(ViolationKind::Missing, "is required")
    }

    /// The same with the error behind it, which is for logs and never leaves the process.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        if let [violation] = self.0.kept.as_mut_slice() {
            violation.source = Some(Arc::from(source.into()));
        }
        self
    }

    /// The same without the errors behind it, which may hold parts of a secret.
    #[must_use]
    pub fn without_sources(mut self) -> Self {
        for violation in &mut self.0.kept {
            violation.source = None;
        }
        self
    }

    /// All that is wrong, in the order of the fields: the first hundred, and
    /// [`more`](Self::more).
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.kept
    }

    /// How many violations there were beyond [`violations`](Self::violations).
    #[must_use]
    pub fn more(&self) -> usize {
        self.0.more
    }

    /// Both together.
    pub(super) fn append(&mut self, other: Self) {
        let room = MAX_VIOLATIONS.saturating_sub(self.0.kept.len());
        let dropped = other.0.kept.len().saturating_sub(room);
        self.0.more = self
            .0
            .more
            .saturating_add(other.0.more.saturating_add(dropped));
        self.0.kept.extend(other.0.kept.into_iter().take(room));
    }

    /// Nothing is wrong: for who gathers.
    pub(super) fn none() -> Self {
        Self(Box::default())
    }
}

impl Violation {
    /// Where it is, from the message: `items[3].price`, `labels["a"]`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ViolationKind {
        self.kind
    }

    /// The same for a person, as it follows the path: `is not a UUID`. The value is never in it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The error behind it.
    #[must_use]
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl Unmappable for MapError {
    #[cold]
    fn at(mut self, segment: impl fmt::Display) -> Self {
        let segment = segment.to_string();
        for violation in &mut self.0.kept {
            let dot = if violation.path.is_empty() || violation.path.starts_with('[') {
                ""
            } else {
                "."
            };
            violation.path = format!("{segment}{dot}{}", violation.path);
        }
        self
    }

    #[cold]
    fn of_a_secret(mut self) -> Self {
        for violation in &mut self.0.kept {
            if let Some(key) = violation.path.find("[\"") {
                violation.path.truncate(key);
            }
        }
        self.without_sources()
    }
}

impl Unmappable for Infallible {
    fn at(self, _segment: impl fmt::Display) -> Self {
        self
    }

    fn of_a_secret(self) -> Self {
        self
    }
}

impl From<Infallible> for MapError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, violation) in self.0.kept.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        match self.0.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Error for MapError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let first = self.0.kept.first()?.source.as_deref()?;
        Some(first)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.description),
            path => write!(f, "{path} {}", self.description),
        }
    }
}

impl From<MapError> for DomainError {
    /// A request that is wrong.
    fn from(error: MapError) -> Self {
        let fault = Self::validation(error.to_string());
        let fault = error.0.kept.iter().fold(fault, |fault, violation| {
            fault.with_violation(violation.path(), violation.description())
        });
        fault.with_source(error)
    }
}
