//! What a server changes about its errors, and what it refuses to start with.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::net::SocketAddr;
use std::process::Command;

use apibase::prost::Message;
use apibase::{
    CallError, Code, Context, DOMAIN, DomainError, ERROR_STATUS_TABLE, ErrorPolicy, Interceptors,
    Server, ServiceError, Status,
};
use apibase_tests::errors_shared::errors_stock as stock;
use common::{
    Depot, EchoServiceServer, ParcelError, ParcelServiceClient, ParcelServiceServer, RawClient,
    RichStatus, Running, Scripted, WAYS, When, any, error_info, fail, post_parcel, rich, sample,
    soon,
};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;

const PARCELS: &str = "parcels.example.com";

fn chain(policy: ErrorPolicy) -> Interceptors {
    Interceptors::none().with_errors(policy)
}

/// Fails with every row of its catalogue, and with every one of the nine.
fn depot() -> Depot {
    let depot = ParcelError::TABLE
        .rows()
        .iter()
        .fold(Depot::new(), |depot, row| {
            depot.with(row.reason, sample::<ParcelError>(row))
        });
    ERROR_STATUS_TABLE.rows().iter().fold(depot, |depot, row| {
        depot.with(row.class, sample::<DomainError>(row))
    })
}

/// The service in our own server, and mounted in tonic's.
async fn both(policy: ErrorPolicy) -> [SocketAddr; 2] {
    let ours = depot().start_with(chain(policy.clone())).await;
    let service = ParcelServiceServer::new(depot()).into_service(chain(policy));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tonics = listener.local_addr().unwrap();
    let server = tonic::transport::Server::builder().add_service(service.unwrap());
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    [ours.addr, tonics]
}

/// The code on the wire, and what the client takes it for.
async fn outcome(addr: SocketAddr, name: &str, way: (&str, When)) -> (Code, String) {
    let mut raw = RawClient::connect(addr).await;
    let answer = raw.fail(post_parcel(way.0), name, way).await;
    let client = ParcelServiceClient::connect(format!("http://{addr}"));
    let client = soon(client).await.unwrap();
    let error = fail(&client, &Context::background(), name, way).await;
    let CallError::Service(error) = error else {
        panic!("{name}: {error:?}");
    };
    (answer.failed().code, format!("{error:?}"))
}

#[tokio::test]
async fn a_code_is_overridden_on_the_wire_and_the_client_gets_the_same_error() {
    let policy = ErrorPolicy::new()
        .with_code(PARCELS, "PARCEL_LOST", Code::DataLoss)
        .with_code(DOMAIN, "CONFLICT", Code::Aborted);
    let plain = both(ErrorPolicy::new()).await;
    for (addr, plain) in both(policy).await.into_iter().zip(plain) {
        for way in WAYS {
            for (name, code) in [
                ("PARCEL_LOST", Code::DataLoss),
                ("ConflictError", Code::Aborted),
            ] {
                let (before, error) = outcome(plain, name, way).await;
                assert_ne!(before, code);
                assert_eq!(outcome(addr, name, way).await, (code, error));
            }
            // The others are as ever.
            for name in ["TOO_HEAVY", "VAN_FULL", "NotFoundError"] {
                let expected = outcome(plain, name, way).await;
                assert_eq!(outcome(addr, name, way).await, expected);
            }
        }
    }
}

#[tokio::test]
async fn an_error_is_redacted_where_a_policy_says_so_and_keeps_its_code() {
    let policy = ErrorPolicy::new()
        .with_redacted(PARCELS, "PARCEL_LOST")
        .with_redacted(DOMAIN, "FORBIDDEN");
    for addr in both(policy).await {
        for way in WAYS {
            let expected = (Code::NotFound, "ParcelLost { id: \"\" }".to_owned());
            assert_eq!(outcome(addr, "PARCEL_LOST", way).await, expected);
            let (code, error) = outcome(addr, "ForbiddenError", way).await;
            assert_eq!(code, Code::PermissionDenied);
            assert!(error.contains("the call failed; "), "{error}");
        }
        let mut raw = RawClient::connect(addr).await;
        let way = ("Put", When::AtOnce);
        let answer = raw.fail(post_parcel("Put"), "PARCEL_LOST", way).await;
        answer.failed().error_id();
    }
}

/// What a policy makes INTERNAL is redacted as all that is.
#[tokio::test]
async fn an_error_that_is_made_internal_is_redacted() {
    for code in [Code::Internal, Code::Unknown] {
        let policy = ErrorPolicy::new().with_code(PARCELS, "TOO_HEAVY", code);
        for addr in both(policy).await {
            let mut raw = RawClient::connect(addr).await;
            for way in WAYS {
                let answer = raw.fail(post_parcel(way.0), "TOO_HEAVY", way).await;
                let wire = answer.failed();
                assert_eq!(wire.code, code);
                wire.error_id();
                assert_eq!(wire.info().reason, "TOO_HEAVY");
            }
        }
    }
}

#[tokio::test]
async fn raw_statuses_leave_as_they_were_made_where_a_policy_says_so() {
    let made = [Code::Internal, Code::Unknown, Code::Aborted].map(|code| {
        let details = vec![any(&error_info("upstream.example.com", "WHY", &[]))];
        rich(code, "said upstream: 100% \u{e4}", details)
    });
    let depot = made.iter().fold(Depot::new(), |depot, status| {
        let name = format!("{:?}", status.code());
        depot.with(&name, DomainError::from(status.clone()))
    });
    let depot = depot.with("database", DomainError::database("a secret"));
    let chain = chain(ErrorPolicy::new().with_raw_statuses());
    let mut raw = depot.start_with(chain).await.raw().await;
    for way in WAYS {
        for made in &made {
            let name = format!("{:?}", made.code());
            let wire = raw.fail(post_parcel(way.0), &name, way).await.failed();
            assert_eq!((wire.code, &*wire.message), (made.code(), made.message()));
            assert_eq!(wire.rich, RichStatus::decode(made.details()).unwrap());
        }
        // Other errors are redacted as ever.
        let answer = raw.fail(post_parcel(way.0), "database", way).await;
        answer.failed().error_id();
    }
}

#[tokio::test]
async fn a_raw_internal_status_that_leaves_as_it_is_is_logged() {
    let status = Status::new(Code::Internal, "said upstream");
    let depot = Depot::new().with("raw", DomainError::from(status).with_source("a cause"));
    let log = common::log_of_all();
    let chain = chain(ErrorPolicy::new().with_raw_statuses());
    let mut raw = depot.start_with(chain).await.raw().await;
    raw.fail(post_parcel("Put"), "raw", ("Put", When::AtOnce))
        .await;
    let lines = log.lines();
    let line = lines.iter().find(|line| line.contains("said upstream"));
    let line = line.unwrap();
    assert!(line.contains("WARN") && line.contains("a cause"), "{line}");
}

#[tokio::test]
async fn of_two_changes_of_one_error_the_last_counts() {
    let policy = ErrorPolicy::new()
        .with_code(DOMAIN, "CONFLICT", Code::Unknown)
        .with_code(DOMAIN, "CONFLICT", Code::FailedPrecondition);
    let [addr, _] = both(policy).await;
    let (code, error) = outcome(addr, "ConflictError", ("Put", When::AtOnce)).await;
    assert_eq!(code, Code::FailedPrecondition);
    assert!(!error.contains("the call failed; "), "{error}");
}

// What a server refuses to start with.

async fn refusal(server: Server) -> Option<String> {
    let bound = server.host([127, 0, 0, 1]).port(0).bind().await;
    Some(bound.err()?.to_string())
}

#[tokio::test]
async fn a_policy_for_an_error_that_no_service_has_is_refused_by_name() {
    let parcels = || Server::new().add_servicer(ParcelServiceServer::new(Depot::new()));
    for (domain, reason) in [
        (PARCELS, "PARCEL_LOSD"),
        (DOMAIN, "PARCEL_LOST"),
        (PARCELS, "CONFLICT"),
        // The nine's class names are no reasons.
        (DOMAIN, "ConflictError"),
        ("shop.example.com", "SHOP_CLOSED"),
        ("", ""),
    ] {
        for policy in [
            ErrorPolicy::new().with_code(domain, reason, Code::Aborted),
            ErrorPolicy::new().with_redacted(domain, reason),
            ErrorPolicy::new()
                .with_redacted(DOMAIN, "TIMEOUT")
                .with_redacted(domain, reason),
        ] {
            let refused = refusal(parcels().interceptors(chain(policy))).await;
            let refused = refused.expect(reason);
            assert!(
                refused.contains(&format!("`{domain}/{reason}`")),
                "{refused}"
            );
        }
    }
}

#[tokio::test]
async fn a_policy_may_change_the_errors_of_any_service_and_those_of_all() {
    let server = Server::new()
        .add_servicer(EchoServiceServer::new(Scripted::new()))
        .add_servicer(ParcelServiceServer::new(Depot::new()));
    let mut policy = ErrorPolicy::new();
    for (domain, table) in [(PARCELS, ParcelError::TABLE), (DOMAIN, &ERROR_STATUS_TABLE)] {
        for row in table.rows() {
            policy = policy.with_code(domain, row.reason, Code::Aborted);
        }
    }
    assert_eq!(refusal(server.interceptors(chain(policy))).await, None);
}

/// A catalogue of another package, as the service of the proto names it.
#[tokio::test]
async fn a_policy_may_change_the_errors_of_a_shared_catalogue() {
    use apibase_tests::errors_shared::errors_shared::api::SharedError;
    use stock::api::{StockServiceServer, StockServicer};

    struct Stock;

    impl StockServicer for Stock {
        async fn count(&self, _: &Context, item: stock::Item) -> Result<stock::Item, SharedError> {
            Err(SharedError::NameNotFound { name: item.name })
        }
    }

    let policy = ErrorPolicy::new().with_redacted("shared.example.com", "NAME_NOT_FOUND");
    let server = Server::new().add_servicer(StockServiceServer::new(Stock));
    assert_eq!(refusal(server.interceptors(chain(policy))).await, None);
}

// The environment.

/// Set in the process that the test below starts, in which the environment is what it says.
const INNER: &str = "APIBASE_TESTS_INNER";

#[tokio::test]
async fn the_environment_can_show_details() {
    if std::env::var_os(INNER).is_some() {
        return shows_what_the_environment_says().await;
    }
    for value in [None, Some("true"), Some("false"), Some("yes")] {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--exact", "the_environment_can_show_details", "--nocapture"])
            .env(INNER, value.unwrap_or_default())
            .env_remove("GRPC__SERVER__DETAILED_ERRORS");
        if let Some(value) = value {
            test.env("GRPC__SERVER__DETAILED_ERRORS", value);
        }
        let output = test.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("1 passed"), "{value:?}: {said}");
    }
}

async fn shows_what_the_environment_says() {
    let server = match (std::env::var(INNER).unwrap().as_str(), Server::from_env()) {
        ("yes", Err(error)) => {
            assert_eq!(error.key(), "GRPC__SERVER__DETAILED_ERRORS");
            return;
        }
        (_, server) => server.unwrap(),
    };
    // The chain of the code stays.
    let policy = ErrorPolicy::new().with_code(PARCELS, "VAN_BROKEN", Code::Unknown);
    let server = server
        .interceptors(chain(policy))
        .add_servicer(ParcelServiceServer::new(depot()));
    let log = common::log();
    let running = Running::of(server).await;
    let warned = log
        .own_lines()
        .iter()
        .any(|line| line.contains("not for production"));
    let mut raw = running.raw().await;
    let way = ("Put", When::AtOnce);
    let wire = raw
        .fail(post_parcel("Put"), "VAN_BROKEN", way)
        .await
        .failed();
    assert_eq!(wire.code, Code::Unknown);
    let shown = wire.message.starts_with("van plate of VAN_BROKEN");
    let expected = std::env::var(INNER).unwrap() == "true";
    assert_eq!((shown, warned), (expected, expected), "{wire:?}");
}
