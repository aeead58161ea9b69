//! [`ReflectionError`]: why descriptors can't be served.

use std::error::Error;
use std::fmt;

use prost::DecodeError;

/// Why descriptors can't be served.
#[derive(Clone, Debug)]
pub struct ReflectionError(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Malformed {
        /// None where not even the file's name is known.
        file: Option<String>,
        source: DecodeError,
    },
    Conflict {
        file: String,
    },
}

impl ReflectionError {
    pub(super) fn malformed(file: Option<String>, source: DecodeError) -> Self {
        Self(Kind::Malformed { file, source })
    }

    pub(super) fn conflict(file: String) -> Self {
        Self(Kind::Conflict { file })
    }

    /// Whether what was given is no descriptor set.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self.0, Kind::Malformed { .. })
    }

    /// Whether two descriptor sets have different files of one name.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.0, Kind::Conflict { .. })
    }

    /// The name of the file that is wrong, as imports spell it, where it is known.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        match &self.0 {
            Kind::Malformed { file, .. } => file.as_deref(),
            Kind::Conflict { file } => Some(file),
        }
    }
}

impl fmt::Display for ReflectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Malformed {
                file: Some(file),
                source,
            } => write!(f, "the descriptor of `{file}` can't be read: {source}"),
            Kind::Malformed { file: None, source } => {
                write!(f, "this is no set of file descriptors: {source}")
            }
            Kind::Conflict { file } => write!(
                f,
                "two services bring different files `{file}`; generate both from the same one, or \
                 give them different names"
            ),
        }
    }
}

impl Error for ReflectionError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0 {
            Kind::Malformed { source, .. } => Some(source),
            Kind::Conflict { .. } => None,
        }
    }
}
