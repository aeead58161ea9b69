//! Generated errors: what they print, what their tables say, that each is read back from its status,
//! and how they become another service's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;
use std::time::Duration;

use apibase::{CallError, Code, Context, DomainError, Failure, ServiceError};
use apibase_tests::errors_basic::errors_basic::Order;
use apibase_tests::errors_basic::errors_basic::api::{
    FromShopError, SHOP_ERROR_TABLE, ShopError, ShopServiceClient, shop_service,
};
use apibase_tests::errors_calls::errors_calls::api::ParcelError;
use apibase_tests::errors_empty::errors_empty::alone::api::AloneError;
use apibase_tests::errors_empty::errors_empty::api::{EMPTY_ERROR_TABLE, EmptyError};
use apibase_tests::errors_names::errors_names::api::{OuterError, Result_};
use apibase_tests::errors_texts::errors_texts::api::TextError;
use proptest::prelude::*;

/// Messages as the proto has them, and the errors that they are of.
fn templates(id: &str) -> Vec<(&'static str, TextError)> {
    let id = || id.to_owned();
    vec![
        ("{{}} {{id}} }}{{ {id}", TextError::Braces { id: id() }),
        ("{{id}} and {{}}", TextError::BracesAlone { id: id() }),
        (
            "\"{id}\" isn't 'C:\\new' \\{id}\\ \\u{{7f}}",
            TextError::Quotes { id: id() },
        ),
        ("\"quoted\" \\n '#\"#", TextError::QuotesAlone),
        ("one\n\ttwo {id}\r\n", TextError::Lines { id: id() }),
        (
            "Grüße an {id} 🦀 e\u{301} \u{200f}",
            TextError::Unicode { id: id() },
        ),
        (
            "{id}{id}:{{id:?}} {{0}} %s $1",
            TextError::Twice { id: id() },
        ),
        ("\u{1}{id}\u{7f}", TextError::Control { id: id() }),
    ]
}

/// What a message says, taken literally.
fn filled(template: &str, id: &str) -> String {
    // Neither of the two is in a message.
    let parts = template.replace("{{", "\u{2}").replace("}}", "\u{3}");
    let parts: Vec<&str> = parts.split("{id}").collect();
    let parts = parts
        .iter()
        .map(|part| part.replace('\u{2}', "{").replace('\u{3}', "}"));
    parts.collect::<Vec<_>>().join(id)
}

proptest! {
    #[test]
    fn a_message_says_what_the_proto_says(id in any::<String>()) {
        for (template, error) in templates(&id) {
            prop_assert_eq!(error.to_string(), filled(template, &id));
        }
    }
}

#[test]
fn values_with_the_names_of_others_are_themselves() {
    let text = |text: &str| text.to_owned();
    let error = Result_::Values {
        f: text("a"),
        error: text("b"),
        failure: text("c"),
        reason: text("-"),
        metadata: text("d"),
    };
    assert_eq!(error.to_string(), "a, b, c and d");
    let error = Result_::Self_ {
        self_: text("me"),
        r#type: text("kind"),
    };
    assert_eq!(error.to_string(), "me and kind");
    let error = Result_::Err {
        r#type: text("kind"),
        r#match: text("found"),
    };
    assert_eq!(error.to_string(), "found");
    assert_eq!(error.into_status().message(), "kind: found");
}

#[test]
fn an_error_without_a_message_says_its_reason_in_words() {
    assert_eq!(ShopError::ShopClosed.to_string(), "shop closed");
    assert_eq!(OuterError::Http2Gone.to_string(), "http2 gone");
}

#[test]
fn an_error_that_every_service_has_is_its_own_source() {
    let cause = std::io::Error::other("disk full");
    let error = ShopError::from(DomainError::database("no items").with_source(cause));
    assert_eq!(
        error.to_string(),
        DomainError::database("no items").to_string()
    );
    assert_eq!(error.source().unwrap().to_string(), "disk full");
    assert!(ShopError::ShopClosed.source().is_none());
    let empty = EmptyError::from(DomainError::not_found("nothing"));
    assert_eq!(empty.into_status().code(), Code::NotFound);
}

#[test]
#[allow(deprecated, reason = "it is in the table")]
fn the_table_says_what_the_proto_says() {
    assert_eq!(SHOP_ERROR_TABLE.domain(), "shop.example.com");
    let row = |reason| SHOP_ERROR_TABLE.row(reason).unwrap();
    assert_eq!(row("ITEM_NOT_FOUND").code, Code::NotFound);
    assert_eq!(row("ITEM_NOT_FOUND").metadata, ["item_id"]);
    assert_eq!(
        row("SHOP_CLOSED").retry_delay,
        Some(Duration::from_secs(30))
    );
    assert_eq!(
        row("TILL_TAKEN").retry_delay,
        Some(Duration::from_millis(1500))
    );
    assert_eq!(row("MOVED").retry_delay, Some(Duration::from_nanos(1)));
    assert_eq!(
        (row("CROWDED").retryable, row("CROWDED").retry_delay),
        (true, None)
    );
    assert_eq!((row("SOLD_OUT").http, row("BANNED").http), (409, 403));
    assert!(row("BANNED").redacted && !row("SOLD_OUT").redacted);
    assert_eq!(SHOP_ERROR_TABLE.rows().len(), 8);
    assert!(EMPTY_ERROR_TABLE.rows().is_empty());
    let moved = ShopError::Moved {
        address: "there".to_owned(),
    };
    assert_eq!(moved.code(), Code::Unimplemented);
}

#[test]
fn a_method_has_the_errors_that_it_declares() {
    assert_eq!(
        shop_service::BUY.declared_errors(),
        ["ITEM_NOT_FOUND", "SHOP_CLOSED"]
    );
    assert!(shop_service::GIVE_BACK.declared_errors().is_empty());
}

/// Each error of a table comes back from its status as what it was, with what callers may know of it.
fn reads_back<E: ServiceError + Debug>() {
    let mut seen = BTreeSet::new();
    for row in E::TABLE.rows() {
        let mut metadata = apibase::ErrorMetadata::default();
        let error = E::from_reason(row.reason, &mut metadata).unwrap();
        let before = format!("{error:?}");
        assert_eq!(error.code(), row.code);
        let status = error.into_status();
        assert_eq!(status.code(), row.code, "{}", row.reason);
        let after = E::from_status(status).unwrap();
        assert_eq!(format!("{after:?}"), before);
        assert!(seen.insert(before), "{} is another's", row.reason);
    }
    let mut metadata = apibase::ErrorMetadata::default();
    assert!(E::from_reason("NO_SUCH_REASON", &mut metadata).is_none());
}

#[test]
fn every_error_is_read_back_from_its_status() {
    reads_back::<ShopError>();
    reads_back::<ParcelError>();
    reads_back::<AloneError>();
    reads_back::<EmptyError>();
    reads_back::<OuterError>();
    reads_back::<Result_>();
    reads_back::<TextError>();
}

#[test]
fn metadata_is_read_back_with_its_values() {
    let error = Result_::Err {
        r#type: "k\u{e4}se \u{1f980}\n".to_owned(),
        r#match: String::new(),
    };
    let before = format!("{error:?}");
    let after = Result_::from_status(error.into_status()).unwrap();
    assert_eq!(format!("{after:?}"), before);
}

/// The error of a service that calls the shop.
#[derive(Debug, PartialEq, Eq)]
enum Own {
    NoItem(String),
    Later,
    Other(String),
    Failed(Code),
}

impl FromShopError for Own {
    fn item_not_found(item_id: String) -> Self {
        Self::NoItem(item_id)
    }

    fn shop_closed() -> Self {
        Self::Later
    }

    fn sold_out(item_id: String, price: String, buyer: String) -> Self {
        Self::Other([item_id, price, buyer].join("/"))
    }

    fn till_jammed(till: String) -> Self {
        Self::Other(till)
    }

    fn banned(since: String) -> Self {
        Self::Other(since)
    }

    fn crowded() -> Self {
        Self::Later
    }

    fn till_taken(till: String) -> Self {
        Self::Other(till)
    }

    fn moved(address: String) -> Self {
        Self::Other(address)
    }

    fn domain(error: DomainError) -> Self {
        Self::Other(error.to_string())
    }

    fn failed(failure: Failure) -> Self {
        Self::Failed(failure.status().code())
    }
}

#[tokio::test]
async fn a_translator_is_asked_for_each_error() {
    let own = |error| Own::from_shop_error(CallError::Service(error));
    let text = |text: &str| text.to_owned();
    let error = ShopError::ItemNotFound { item_id: text("7") };
    assert_eq!(own(error), Own::NoItem(text("7")));
    assert_eq!(own(ShopError::Crowded), Own::Later);
    let error = ShopError::SoldOut {
        item_id: text("7"),
        price: text("2"),
        buyer: text("Ann"),
    };
    assert_eq!(own(error), Own::Other(text("7/2/Ann")));
    let domain = DomainError::timeout("slow");
    let printed = domain.to_string();
    assert_eq!(own(ShopError::Domain(domain)), Own::Other(printed));

    // Nobody listens there.
    let shop = ShopServiceClient::connect_lazy("http://127.0.0.1:1").unwrap();
    let called = shop.buy(&Context::background(), Order::default()).await;
    let failed = called.map_err(Own::from_shop_error).unwrap_err();
    assert_eq!(failed, Own::Failed(Code::Unavailable));
}
