//! Python's grpcio reads the errors of our server, and our client reads those of a server of Python's
//! grpcio: the scripts are `tests/interop/errors.py` and `tests/interop/rich_server.py`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod peers;

use std::process::Stdio;
use std::time::Duration;

use apibase::{CallError, Code, Context, DomainError, ErrorDetails, Failure, FailureKind, Server};
use apibase_tests::errors_calls::errors_calls as proto;
use common::{Running, soon};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use peers::{Parcels, STRANGE, python};
use proto::api::{Parcel, ParcelError, ParcelServiceClient, ParcelServiceServer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Child;
use uuid::Uuid;

#[tokio::test]
async fn python_reads_our_errors() {
    let Some(mut python) = python("errors.py") else {
        return;
    };
    let server = Server::new().add_servicer(ParcelServiceServer::new(Parcels));
    let server = Running::of(server).await;
    let output = soon(python.arg(server.addr.to_string()).output())
        .await
        .unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert!(
        out.contains("every error of the parcel service"),
        "{out}{err}"
    );
}

/// A server of Python's, until it is dropped. Its standard input ends with this process, however that
/// ends.
struct Peer {
    client: ParcelServiceClient,
    _process: Child,
}

impl Peer {
    async fn start() -> Option<Self> {
        let mut python = python("rich_server.py")?;
        let python = python.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = python.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = soon(lines.next_line()).await.unwrap();
        let port = port.expect("the server of Python has said why on stderr");
        let target = format!("http://127.0.0.1:{port}");
        Some(Self {
            client: soon(ParcelServiceClient::connect(target)).await.unwrap(),
            _process: process,
        })
    }

    /// The error of a call that is answered like this.
    async fn error(&self, fails: &str) -> CallError<ParcelError> {
        let ctx = Context::background();
        soon(self.client.put(&ctx, parcel(fails)))
            .await
            .expect_err(fails)
    }

    /// The same, of an error that the service declares.
    async fn own(&self, fails: &str) -> ParcelError {
        match self.error(fails).await {
            CallError::Service(error) => error,
            other => panic!("{fails}: {other:?}"),
        }
    }

    /// The same, of an error that it doesn't.
    async fn foreign(&self, fails: &str) -> (Failure, ErrorDetails) {
        let error = self.error(fails).await;
        let failure = error.into_service().expect_err(fails);
        assert_eq!(failure.kind(), FailureKind::Status, "{fails}");
        let details = failure.details();
        (*failure, details)
    }
}

fn parcel(fails: &str) -> Parcel {
    Parcel {
        id: Uuid::from_u128(7),
        weight: 7,
        fails: fails.to_owned(),
    }
}

/// The id of a parcel that is lost.
#[track_caller]
fn lost(error: &ParcelError) -> &str {
    match error {
        ParcelError::ParcelLost { id } => id,
        other => panic!("{other:?}"),
    }
}

fn others(details: &ErrorDetails) -> Vec<&str> {
    let urls = details.others.iter().map(|detail| detail.type_url.as_str());
    urls.map(|url| url.rsplit('.').next().unwrap()).collect()
}

#[tokio::test]
async fn we_read_errors_of_our_catalogue_from_python() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    for (fails, id) in [
        ("own", "p-1"),
        ("own with another code", "p-1"),
        ("own with strange text", STRANGE),
        ("own without its metadata", ""),
        ("own with more metadata", "p-1"),
        ("own among others", "p-1"),
        ("own by another prefix", "p-1"),
        ("two reasons", "p-1"),
        ("details of another call", "p-1"),
        ("large", "p-1"),
    ] {
        assert_eq!(lost(&peer.own(fails).await), id, "{fails}");
    }
}

#[tokio::test]
async fn we_read_errors_of_all_services_from_python() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    let ParcelError::Domain(wrong) = peer.own("common").await else {
        panic!("not one of the nine");
    };
    assert!(matches!(wrong, DomainError::Validation(_)), "{wrong:?}");
    let said = "not a parcel; weight: is negative; id: is taken";
    assert_eq!(wrong.to_string(), said);

    let slow = peer.error("common with a delay").await;
    assert_eq!(slow.code(), Code::ResourceExhausted);
    assert!(slow.is_retryable());
    assert_eq!(slow.retry_delay(), Some(Duration::from_millis(1500)));

    let behind = peer.error("common and already retried").await;
    assert_eq!(behind.code(), Code::Unavailable);
    assert!(!behind.is_retryable(), "{behind:?}");
}

#[tokio::test]
async fn what_we_do_not_know_is_kept_whole() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    let (failure, newer) = peer.foreign("a newer reason").await;
    assert_eq!(failure.status().code(), Code::Aborted);
    assert_eq!(newer.reason(), Some(("parcels.example.com", "TOO_WET")));
    assert_eq!(newer.metadata["rain"], "much");
    assert_eq!(others(&newer), ["Help", "QuotaFailure"]);

    let (_, newer) = peer.foreign("common of a newer runtime").await;
    assert_eq!(newer.reason(), Some(("apibase", "EATEN_BY_DOG")));
    assert_eq!(newer.metadata["dog"], "Rex");

    // The reason is one of ours, and the domain is not.
    let (failure, pets) = peer.foreign("another domain").await;
    assert_eq!(
        (failure.status().code(), failure.status().message()),
        (Code::NotFound, "no pet")
    );
    assert_eq!(pets.reason(), Some(("pets.example.com", "PARCEL_LOST")));
    assert_eq!(pets.violations.len(), 2);
    assert_eq!(pets.retry_delay, Some(Duration::from_millis(1500)));
    assert_eq!(
        (pets.request_id.as_str(), pets.serving_data.as_str()),
        ("request-1", "serving-1")
    );

    let (failure, nameless) = peer.foreign("no reason").await;
    assert_eq!(failure.status().code(), Code::InvalidArgument);
    assert_eq!((nameless.reason(), nameless.violations.len()), (None, 2));
    assert_eq!(others(&nameless), ["QuotaFailure"]);
}

#[tokio::test]
async fn garbage_is_a_status_without_details() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    for (fails, code, message) in [
        ("plain", Code::Aborted, "version race"),
        ("details that do not decode", Code::NotFound, "junk"),
        ("empty details", Code::NotFound, "nothing"),
        ("no details in a status", Code::OutOfRange, "too far"),
    ] {
        let (failure, details) = peer.foreign(fails).await;
        assert_eq!(
            (failure.status().code(), failure.status().message()),
            (code, message),
            "{fails}"
        );
        assert_eq!(details, ErrorDetails::default(), "{fails}");
    }
    // What decodes of it is there, and what doesn't is kept as it is.
    let (_, garbled) = peer.foreign("a reason that does not decode").await;
    assert_eq!((garbled.reason(), garbled.violations.len()), (None, 2));
    assert_eq!(others(&garbled), ["ErrorInfo"]);
}

#[tokio::test]
async fn we_read_errors_within_streams_from_python() {
    let Some(peer) = Peer::start().await else {
        return;
    };
    let ctx = Context::background();
    let requests = || stream::iter([parcel(""), parcel("own"), parcel("")]);

    let unpacked = soon(peer.client.unpack(&ctx, parcel("own"))).await.unwrap();
    let unpacked: Vec<_> = soon(unpacked.collect()).await;
    assert_eq!(unpacked.len(), 3);
    assert!(unpacked[..2].iter().all(Result::is_ok));
    let Err(CallError::Service(error)) = &unpacked[2] else {
        panic!("{unpacked:?}");
    };
    assert_eq!(lost(error), "p-1");

    let stored = soon(peer.client.put_all(&ctx, requests())).await;
    assert_eq!(lost(&stored.unwrap_err().into_service().unwrap()), "p-1");

    let mut weighed = soon(peer.client.weigh(&ctx, requests())).await.unwrap();
    assert!(soon(weighed.try_next()).await.unwrap().is_some());
    let error = soon(weighed.try_next()).await.unwrap_err();
    assert_eq!(lost(&error.into_service().unwrap()), "p-1");
}
