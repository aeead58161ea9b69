//! What came of a call, as the runner wants to be told.

use apibase::prost::Message;
use apibase::{CallError, CallInfo, Code, DomainError, Status};

use crate::answer::RichStatus;
use crate::connectrpc::conformance::v1::{ClientResponseResult, ConformancePayload, Error};
use crate::metadata::headers;

/// How a call ended that didn't end well.
pub(crate) enum Ended {
    /// It failed.
    Failed(CallError<DomainError>),
    /// It was dropped.
    Cancelled,
}

impl From<CallError<DomainError>> for Ended {
    fn from(error: CallError<DomainError>) -> Self {
        Self::Failed(error)
    }
}

/// What is known when a call is over.
pub(crate) fn tell(
    info: &CallInfo,
    payloads: Vec<ConformancePayload>,
    result: Result<(), Ended>,
) -> ClientResponseResult {
    let error = result.err().map(|ended| match ended {
        Ended::Cancelled => error(&Status::cancelled("the call was dropped")),
        // As the server sent it, whatever our error for it is.
        Ended::Failed(failed) => match (info.status(), &failed) {
            (Some(status), _) => error(&status),
            (None, CallError::Failed(failure)) => error(failure.status()),
            (None, _) => error(&Status::new(failed.code(), failed.to_string())),
        },
    });
    ClientResponseResult {
        response_headers: headers(&info.headers()),
        payloads,
        error,
        response_trailers: headers(&info.trailers()),
        ..ClientResponseResult::default()
    }
}

fn error(status: &Status) -> Error {
    let rich = RichStatus::decode(status.details()).unwrap_or_default();
    Error {
        code: code(status.code()),
        message: Some(status.message().to_owned()),
        details: rich.details,
    }
}

/// The runner's codes are numbered as gRPC's.
fn code(code: Code) -> i32 {
    code.into()
}
