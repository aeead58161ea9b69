//! What is nobody's affair outside: secrets are planted in all places of an error, and its caller is
//! told none of them. The log has those that help, under the id that the caller was given.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod redaction;

use std::error::Error;
use std::fmt;

use apibase::{Code, Context, DomainError, Server};
use apibase_tests::errors_basic::errors_basic::api::{ShopError, ShopServiceServer, ShopServicer};
use apibase_tests::errors_basic::errors_basic::{Order, Receipt};
use common::{
    Answer, BadRequest, DebugInfo, Depot, EchoRequest, RawClient, Running, Secrets, UNSAYABLE,
    WAYS, When, frame, log_of_all, post, post_parcel, post_to, words,
};
use redaction::{FAILURES, PANICS, causes, raw, with_secrets};

/// Adds a cause to an error.
type Because = fn(DomainError, &mut Secrets) -> DomainError;

/// Whatever `depot` has as `fails`, by every kind of call: the caller is told that it is INTERNAL or
/// UNKNOWN and an id, the log has the rest, and the connection lives.
async fn is_redacted(depot: Depot, name: &str, mut secrets: Secrets, code: Code) {
    let mut connection = depot.start().await.raw().await;
    for way in WAYS {
        let how = format!("{name} by {} {}", way.0, way.1);
        let log = log_of_all();
        let head = with_secrets(post_parcel(way.0), &mut secrets);
        let answer = connection.fail(head, "fails", way).await;
        let wire = answer.failed();
        assert_eq!(wire.code, code, "{how}");
        let id = wire.error_id();
        let method = format!("/errors_calls.ParcelService/{}", way.0);
        secrets.are_not_in(&answer, &how);
        let line = secrets.are_logged(&log, &id, &method, &how);
        assert!(
            line.contains(" ERROR ") && line.contains("call-7"),
            "{line}"
        );
        assert_eq!(wire.find::<BadRequest>(), None, "{how}");
        assert_eq!(wire.find::<DebugInfo>(), None, "{how}");
        let metadata = wire.info().metadata;
        assert_eq!(
            metadata.into_keys().collect::<Vec<_>>(),
            ["error_id"],
            "{how}"
        );
        assert_eq!(
            !answer.body.is_empty(),
            way.0 != "PutAll" && way.1 == When::Later,
            "{how}"
        );
        connection.takes_parcels().await;
    }
}

#[tokio::test]
async fn errors_that_are_internal_are_redacted() {
    for (name, make) in FAILURES {
        let mut secrets = Secrets::new();
        let error = make(&mut secrets);
        let code = match name {
            "a raw UNKNOWN" => Code::Unknown,
            _ => Code::Internal,
        };
        is_redacted(Depot::new().with("fails", error), name, secrets, code).await;
    }
}

#[tokio::test]
async fn panics_are_redacted() {
    for (name, make) in PANICS {
        let mut secrets = Secrets::new();
        let panics = make(&mut secrets);
        let depot = Depot::new().making("fails", move || {
            panics();
            unreachable!()
        });
        is_redacted(depot, name, secrets, Code::Internal).await;
    }
}

#[tokio::test]
async fn a_cause_that_panics_when_it_is_written_down_harms_its_own_call_alone() {
    #[derive(Debug)]
    struct Panics;

    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a cause that panics")
        }
    }

    impl Error for Panics {}

    for make in [DomainError::database, DomainError::external_service] {
        let error = make("").with_source(Panics);
        let depot = Depot::new().with("fails", error);
        let secrets = Secrets::new();
        is_redacted(depot, "a cause that panics", secrets, Code::Internal).await;
    }
}

// What is redacted because its row says so.

/// Fails with the one error.
struct Shop(ShopError);

impl ShopServicer for Shop {
    async fn buy(&self, _: &Context, _: Order) -> Result<Receipt, ShopError> {
        Err(self.0.clone())
    }

    async fn give_back(&self, _: &Context, _: Receipt) -> Result<Order, ShopError> {
        Ok(Order::default())
    }
}

async fn shop(error: ShopError) -> RawClient {
    let server = Server::new().add_servicer(ShopServiceServer::new(Shop(error)));
    Running::of(server).await.raw().await
}

async fn buy(raw: &mut RawClient, secrets: &mut Secrets) -> Answer {
    let head = with_secrets(post_to("/errors_basic.ShopService/Buy"), secrets);
    raw.call(head, [frame(&Order::default())]).await
}

#[tokio::test]
async fn an_error_whose_row_says_so_is_redacted_whatever_its_code() {
    let mut secrets = Secrets::new();
    let error = ShopError::Banned {
        since: secrets.logged("metadata"),
    };
    let mut raw = shop(error).await;
    let log = log_of_all();
    let answer = buy(&mut raw, &mut secrets).await;
    let wire = answer.failed();
    assert_eq!(wire.code, Code::PermissionDenied);
    secrets.are_not_in(&answer, "Banned");
    secrets.are_logged(&log, &wire.error_id(), "ShopService/Buy", "Banned");
}

/// The same keys with a message of its own: those that it doesn't name are sent as metadata.
#[tokio::test]
async fn a_public_message_takes_the_place_of_the_other_and_not_of_the_metadata() {
    let mut secrets = Secrets::new();
    let error = ShopError::SoldOut {
        item_id: "7".to_owned(),
        price: "12".to_owned(),
        buyer: "Bob".to_owned(),
    };
    let mut raw = shop(error).await;
    let answer = buy(&mut raw, &mut secrets).await;
    let wire = answer.failed();
    assert_eq!(wire.message, "item 7 is sold out");
    assert_eq!(wire.info().metadata["buyer"], "Bob");
    secrets.are_not_in(&answer, "SoldOut");
}

// Errors that callers may see, and the causes of which they may not.

#[tokio::test]
async fn causes_of_a_public_error_stay_in_the_process() {
    for (make, level) in [
        (DomainError::external_service as fn(_) -> _, "WARN"),
        (DomainError::timeout, "WARN"),
        // Nothing is wrong with the server.
        (DomainError::not_found, "DEBUG"),
    ] {
        for (name, because) in [
            (
                "causes",
                (|error, secrets| DomainError::with_source(error, causes(secrets))) as Because,
            ),
            ("a status", |error, secrets| {
                error.with_source(raw(Code::Unavailable, secrets))
            }),
        ] {
            let mut secrets = Secrets::new();
            let error = because(make("down"), &mut secrets);
            let mut raw = Depot::new().with("fails", error).start().await.raw().await;
            for way in WAYS {
                let log = log_of_all();
                let head = with_secrets(post_parcel(way.0), &mut secrets);
                let answer = raw.fail(head, "fails", way).await;
                assert_eq!(answer.failed().message, "down", "{name}");
                secrets.are_not_in(&answer, name);
                // The method and the call's own id tell which call it was.
                let method = format!("/errors_calls.ParcelService/{}", way.0);
                let line = secrets.are_logged(&log, "call-7", &method, name);
                assert!(line.contains(&format!(" {level} ")), "{line}");
            }
        }
    }
}

// Replies that can't be encoded.

#[tokio::test]
async fn a_reply_that_cannot_be_encoded_is_redacted() {
    let mut raw = words().await.raw().await;
    for method in ["Echo", "Collect", "Chat"] {
        let mut secrets = Secrets::new();
        let log = log_of_all();
        let head = with_secrets(post(method), &mut secrets);
        let request = |word: String, tone: &str| {
            frame(&EchoRequest {
                payload: word.into_bytes(),
                behaviour: tone.to_owned(),
            })
        };
        let bad = request(secrets.silent("reply"), UNSAYABLE);
        let requests = match method {
            "Echo" => vec![bad],
            _ => vec![request("good".to_owned(), "plain"), bad],
        };
        let answer = raw.call(head, requests).await;
        let wire = answer.failed();
        assert_eq!(wire.code, Code::Internal, "{method}");
        secrets.are_not_in(&answer, method);
        secrets.are_logged(&log, &wire.error_id(), method, method);
        assert_eq!(!answer.body.is_empty(), method == "Chat");
    }
}
