//! [`ServiceError`]: what the error type of every service is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::fmt;

use super::table::{ErrorRow, ErrorTable};
use super::{DomainError, leave, read};
use crate::stream::InboundError;
use crate::{Code, Context, Status};

/// An error of a service: it becomes a status on one side of the wire and is read back from it on
/// the other, by domain and reason.
///
/// Generated error enums implement it, and [`DomainError`] does for services without one.
pub trait ServiceError:
    Error + From<DomainError> + From<InboundError> + Send + Sync + 'static
{
    /// The errors of its own domain.
    const TABLE: &'static ErrorTable;

    /// What it is, for the wire. Generated.
    fn parts(&self) -> ErrorParts<'_>;

    /// The error of its own domain with this reason; what the metadata lacks is empty. Generated.
    fn from_reason(reason: &str, metadata: &mut ErrorMetadata) -> Option<Self>;

    /// Its row of the table; `None` for a raw status.
    fn row(&self) -> Option<&'static ErrorRow> {
        match self.parts().kind {
            Kind::Reason { reason, .. } => Self::TABLE.row(reason),
            Kind::Domain(error) => error.row(),
        }
    }

    /// The code that it has on the wire, unless a server overrides it.
    fn code(&self) -> Code {
        match self.parts().kind {
            Kind::Domain(DomainError::Status(status)) => status.code(),
            _ => self.row().map_or(Code::Unknown, |row| row.code),
        }
    }

    /// What a server answers with for which nothing is set, outside of a call: an error that is
    /// INTERNAL or UNKNOWN is redacted here too, and logged.
    fn into_status(self) -> Status {
        leave::status(&self, &Context::background())
    }

    /// Reads it back.
    ///
    /// # Errors
    ///
    /// The status itself, when it is none of this type's errors.
    fn from_status(status: Status) -> Result<Self, Status> {
        read::error(status)
    }
}

/// What an error is, for the wire: a reason of its service with its metadata, or one of the errors
/// that every service has.
#[derive(Debug)]
pub struct ErrorParts<'a> {
    pub(super) kind: Kind<'a>,
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Reason {
        reason: &'static str,
        metadata: Vec<(&'static str, &'a str)>,
        /// What callers are told in place of its message.
        public: Option<Cow<'static, str>>,
    },
    Domain(&'a DomainError),
}

impl<'a> ErrorParts<'a> {
    /// An error of the service's own domain.
    #[must_use]
    pub fn reason<const N: usize>(
        reason: &'static str,
        metadata: [(&'static str, &'a String); N],
    ) -> Self {
        let kind = Kind::Reason {
            reason,
            metadata: metadata.map(|(key, value)| (key, value.as_str())).into(),
            public: None,
        };
        Self { kind }
    }

    /// An error that every service has.
    #[must_use]
    pub fn domain(error: &'a DomainError) -> Self {
        Self {
            kind: Kind::Domain(error),
        }
    }

    /// The error that every service has, if it is one.
    pub(crate) fn into_domain(self) -> Option<&'a DomainError> {
        match self.kind {
            Kind::Domain(error) => Some(error),
            Kind::Reason { .. } => None,
        }
    }

    /// The same, and callers are told `message` in place of its own.
    #[must_use]
    pub fn public(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        if let Kind::Reason { public, .. } = &mut self.kind {
            *public = Some(message.into());
        }
        self
    }
}

/// The metadata that came with a reason.
#[derive(Default)]
pub struct ErrorMetadata(pub(super) HashMap<String, String>);

impl ErrorMetadata {
    /// The value of `key`; empty if an older or newer server sent none.
    pub fn take(&mut self, key: &str) -> String {
        self.0.remove(key).unwrap_or_default()
    }
}

impl fmt::Debug for ErrorMetadata {
    /// Shows the keys: values are the caller's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What every error enum of a service is made of: [`DomainError`] and all that becomes one.
#[doc(hidden)]
#[macro_export]
macro_rules! __into_domain {
    ($error:ident) => {
        impl ::core::convert::From<$crate::DomainError> for $error {
            fn from(error: $crate::DomainError) -> Self {
                Self::Domain(error)
            }
        }

        $crate::__into_domain!(@ $error: $crate::Status, $crate::InboundError, $crate::MapError, $crate::MetadataError);
    };
    (@ $error:ident: $($cause:ty),*) => {
        $(
            impl ::core::convert::From<$cause> for $error {
                fn from(cause: $cause) -> Self {
                    Self::Domain($crate::DomainError::from(cause))
                }
            }
        )*
    };
}
