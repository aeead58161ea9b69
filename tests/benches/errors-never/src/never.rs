//! [`Never`]: an error that can't be made.

use std::fmt;

use apibase::{
    DomainError, ErrorMetadata, ErrorParts, ErrorTable, InboundError, MapError, MetadataError,
    ServiceError, Status,
};

/// An error that can't be made, so whatever is compiled for one is left out.
#[derive(Clone, Debug)]
pub enum Never {}

/// No errors.
pub const TABLE: ErrorTable = ErrorTable::new("never.example.com", &[]);

impl ServiceError for Never {
    const TABLE: &'static ErrorTable = &TABLE;

    fn parts(&self) -> ErrorParts<'_> {
        match *self {}
    }

    fn from_reason(_reason: &str, _metadata: &mut ErrorMetadata) -> Option<Self> {
        None
    }
}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

macro_rules! never_from {
    ($($cause:ty),*) => {
        $(
            impl From<$cause> for Never {
                fn from(cause: $cause) -> Self {
                    out_of_reach(&cause)
                }
            }
        )*
    };
}

never_from!(DomainError, Status, InboundError, MapError, MetadataError);

/// Nothing fails in the calls of the bench.
#[cold]
#[allow(clippy::panic, reason = "no call of the bench comes here")]
pub(crate) fn out_of_reach(cause: &dyn fmt::Debug) -> Never {
    panic!("the shop can't fail, and did: {cause:?}")
}
