//! [`Level`]: how much attention a call deserves.

use crate::Code;

/// How much attention a call deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It went well, or failed by its caller's doing, as calls do.
    Info,
    /// Many of them are worth a look: somebody is kept out, limited, or too slow.
    Warn,
    /// Something of the server's own is broken.
    Error,
}

impl Level {
    /// That of a call which ended so.
    ///
    /// `UNIMPLEMENTED` is no error: whoever scans a server for methods makes as many as it likes.
    pub(super) const fn of(code: Code) -> Self {
        match code {
            Code::Ok
            | Code::Cancelled
            | Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange => Self::Info,
            Code::Unauthenticated
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::DeadlineExceeded
            | Code::Unavailable
            | Code::Unimplemented => Self::Warn,
            Code::Unknown | Code::Internal | Code::DataLoss => Self::Error,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}
