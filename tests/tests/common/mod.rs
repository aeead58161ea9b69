//! What the end-to-end tests share: a servicer by script, servers of it, raw peers and a journal.

#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

mod depot;
mod journal;
mod log;
mod nobody;
mod raw_client;
mod raw_server;
mod recorder;
mod rich;
mod running;
mod scripted;
mod secrets;
mod words;
mod words_service;

use std::fmt::Debug;
use std::time::Duration;

use apibase::{CallError, DomainError, Failure};
pub(crate) use apibase_tests::tonic_echo::echo::api::{EchoServiceClient, EchoServiceServer};
pub(crate) use apibase_tests::tonic_echo::echo::{
    CollectReply, CountRequest, EchoReply, EchoRequest,
};

pub(crate) use self::depot::{
    Depot, Parcel, ParcelError, ParcelServiceClient, ParcelServiceServer, ParcelServicer, WAYS,
    When, fail, failing_parcel, parcel_frame, post_parcel,
};
pub(crate) use self::journal::{Entries, Journal, OnDrop, journal};
pub(crate) use self::log::{Log, log, log_of_all};
pub(crate) use self::nobody::Nobody;
pub(crate) use self::raw_client::{Answer, RawClient, frame, frame_of, post, post_to};
pub(crate) use self::raw_server::{RawServer, grpc_head, trailers};
pub(crate) use self::recorder::{Seen, recorder};
pub(crate) use self::rich::{
    BadRequest, DebugInfo, ErrorInfo, FieldViolation, OnTheWire, RequestInfo, RetryInfo,
    RichStatus, any, error_info, rich, sample, text_of,
};
pub(crate) use self::running::{InProcess, Running, in_process, once};
pub(crate) use self::scripted::{Scripted, failing};
pub(crate) use self::secrets::Secrets;
pub(crate) use self::words::{
    Ask, Collected, HowMany, STRICT, Said, UNSAYABLE, ask_for, how_many, said,
};
pub(crate) use self::words_service::{WordsClient, words, words_in_process, words_with};

/// What a call through the generated client gives.
pub(crate) type Outcome<T> = Result<T, CallError<DomainError>>;

/// Far beyond what anything here takes: no test depends on how fast the machine is.
const FAILSAFE: Duration = Duration::from_secs(60);

/// What `future` gives; a test that would hang fails instead.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(FAILSAFE, future)
        .await
        .expect("nothing happened for a minute")
}

/// A request with this payload.
pub(crate) fn ask(payload: impl Into<Vec<u8>>) -> EchoRequest {
    EchoRequest {
        payload: payload.into(),
        behaviour: String::new(),
    }
}

/// A reply with this number and payload.
pub(crate) fn reply(number: u64, payload: impl Into<Vec<u8>>) -> EchoReply {
    EchoReply {
        payload: payload.into(),
        number,
    }
}

/// A request for this many replies.
pub(crate) fn count(count: u64) -> CountRequest {
    CountRequest {
        count,
        ..CountRequest::default()
    }
}

/// The failure of a call that ended with no error of the service.
pub(crate) fn failure<T: Debug>(outcome: Outcome<T>) -> Failure {
    match outcome {
        Err(CallError::Failed(failure)) => *failure,
        other => panic!("not a failure: {other:?}"),
    }
}
