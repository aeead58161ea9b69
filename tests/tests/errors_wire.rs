//! What is on the wire of each error: all that a row of a catalogue can say, and the nine that every
//! service has.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::HashMap;
use std::time::Duration;

use apibase::{Code, Context, DomainError, ErrorRow, Server, ServiceError};
use apibase_tests::errors_basic::errors_basic::api::{ShopError, ShopServiceServer, ShopServicer};
use apibase_tests::errors_basic::errors_basic::{Order, Receipt};
use common::{
    BadRequest, DebugInfo, OnTheWire, RawClient, RequestInfo, RetryInfo, Running, frame, post_to,
    sample, text_of,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Fails with the sample of the row whose reason it is asked for, or with one of the nine.
struct Shop;

impl ShopServicer for Shop {
    async fn buy(&self, _: &Context, order: Order) -> Result<Receipt, ShopError> {
        match ShopError::TABLE.row(&order.item_id) {
            Some(row) => Err(sample(row)),
            None => Err(one_of_nine(&order.item_id).into()),
        }
    }

    async fn give_back(&self, _: &Context, _: Receipt) -> Result<Order, ShopError> {
        Ok(Order::default())
    }
}

fn one_of_nine(reason: &str) -> DomainError {
    let make = match reason {
        "VALIDATION" => DomainError::validation,
        "NOT_FOUND" => DomainError::not_found,
        "UNAUTHORIZED" => DomainError::unauthorized,
        "FORBIDDEN" => DomainError::forbidden,
        "CONFLICT" => DomainError::conflict,
        "RATE_LIMIT" => DomainError::rate_limit,
        "EXTERNAL_SERVICE" => DomainError::external_service,
        "DATABASE" => DomainError::database,
        "TIMEOUT" => DomainError::timeout,
        other => panic!("{other}"),
    };
    make(format!("what {reason} says"))
}

/// What is on the wire of an error, by the catalogue's proto.
struct Expected {
    reason: &'static str,
    code: Code,
    /// None where it is redacted.
    message: Option<String>,
    /// The keys of the metadata that is sent.
    keys: &'static [&'static str],
    delay: Option<Duration>,
    pushback: Option<&'static str>,
}

fn expected(reason: &'static str, code: Code, message: &str) -> Expected {
    Expected {
        reason,
        code,
        message: Some(message.to_owned()),
        keys: &[],
        delay: None,
        pushback: None,
    }
}

impl Expected {
    fn keys(mut self, keys: &'static [&'static str]) -> Self {
        self.keys = keys;
        self
    }

    fn delay(mut self, delay: Duration, pushback: &'static str) -> Self {
        self.delay = Some(delay);
        self.pushback = Some(pushback);
        self
    }

    fn redacted(mut self) -> Self {
        self.message = None;
        self
    }
}

/// What [`sample`] has in the metadata of this reason.
fn of(reason: &str, key: &str) -> String {
    text_of(&ErrorRow::new(reason.to_owned().leak(), Code::Unknown), key)
}

fn catalogue() -> Vec<Expected> {
    let item = of("ITEM_NOT_FOUND", "item_id");
    let sold = of("SOLD_OUT", "item_id");
    let moved = of("MOVED", "address");
    let gone = format!("item {item} not found");
    let sold = format!("item {sold} is sold out");
    let half = Duration::from_millis(1500);
    vec![
        expected("ITEM_NOT_FOUND", Code::NotFound, &gone).keys(&["item_id"]),
        expected("SHOP_CLOSED", Code::Unavailable, "shop closed")
            .delay(Duration::from_secs(30), "30000"),
        expected("SOLD_OUT", Code::FailedPrecondition, &sold).keys(&["item_id", "price", "buyer"]),
        expected("TILL_JAMMED", Code::Internal, "").redacted(),
        expected("BANNED", Code::PermissionDenied, "").redacted(),
        expected("CROWDED", Code::ResourceExhausted, "come back later"),
        expected("TILL_TAKEN", Code::Aborted, &of("TILL_TAKEN", "till"))
            .keys(&["till"])
            .delay(half, "1500"),
        expected("MOVED", Code::Unimplemented, &format!("moved to {moved}"))
            .keys(&["address"])
            // Who comes too early is refused again, so it is rounded up.
            .delay(Duration::from_nanos(1), "1"),
    ]
}

/// The nine, and the names that the design document has for them.
#[rustfmt::skip]
const NINE: [(&str, &str, Code); 9] = [
    ("VALIDATION", "ValidationError", Code::InvalidArgument),
    ("NOT_FOUND", "NotFoundError", Code::NotFound),
    ("UNAUTHORIZED", "UnauthorizedError", Code::Unauthenticated),
    ("FORBIDDEN", "ForbiddenError", Code::PermissionDenied),
    ("CONFLICT", "ConflictError", Code::AlreadyExists),
    ("RATE_LIMIT", "RateLimitError", Code::ResourceExhausted),
    ("EXTERNAL_SERVICE", "ExternalServiceError", Code::Unavailable),
    ("DATABASE", "DatabaseError", Code::Internal),
    ("TIMEOUT", "TimeoutError", Code::DeadlineExceeded),
];

async fn shop() -> RawClient {
    let server = Server::new().add_servicer(ShopServiceServer::new(Shop));
    Running::of(server).await.raw().await
}

/// How `Buy` fails when it is asked for the error with this reason.
async fn buy(raw: &mut RawClient, reason: &str) -> OnTheWire {
    let head = post_to("/errors_basic.ShopService/Buy")
        .header("x-correlation-id", "call-7")
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"));
    let order = Order {
        item_id: reason.to_owned(),
    };
    let answer = raw.call(head, [frame(&order)]).await;
    assert!(answer.body.is_empty(), "{answer:?}");
    answer.failed()
}

fn check(wire: &OnTheWire, domain: &str, class: &str, expected: &Expected) {
    let reason = expected.reason;
    assert_eq!(wire.code, expected.code, "{reason}");
    let info = wire.info();
    assert_eq!((&*info.domain, &*info.reason), (domain, reason));
    let mut metadata: HashMap<_, _> = expected
        .keys
        .iter()
        .map(|key| ((*key).to_owned(), of(reason, key)))
        .collect();
    match &expected.message {
        Some(message) => assert_eq!(wire.message, *message),
        None => {
            let id = wire.error_id();
            metadata.insert("error_id".to_owned(), id);
        }
    }
    assert_eq!(info.metadata, metadata, "{reason}");

    // The same code and message in the details.
    assert_eq!(wire.rich.code, expected.code as i32, "{reason}");
    assert_eq!(wire.rich.message, wire.message, "{reason}");

    let delay = wire
        .find::<RetryInfo>()
        .map(|info| info.retry_delay.unwrap());
    let delay = delay.map(|delay| Duration::try_from(delay).unwrap());
    assert_eq!(delay, expected.delay, "{reason}");
    assert_eq!(wire.pushback.as_deref(), expected.pushback, "{reason}");

    let call = RequestInfo {
        request_id: "call-7".to_owned(),
        serving_data: TRACE.to_owned(),
    };
    assert_eq!(wire.find(), Some(call), "{reason}");
    assert_eq!(wire.find::<BadRequest>(), None, "{reason}");
    assert_eq!(wire.find::<DebugInfo>(), None, "{reason}");

    let detail = wire.detail.as_ref().unwrap();
    assert_eq!(detail.code, class);
    assert_eq!(detail.message, wire.message, "{reason}");
    assert_eq!(detail.field, "", "{reason}");
    metadata.insert("trace_id".to_owned(), TRACE.to_owned());
    assert_eq!(detail.metadata, metadata, "{reason}");
}

#[tokio::test]
async fn each_row_of_a_catalogue_is_on_the_wire_as_its_proto_says() {
    let mut raw = shop().await;
    for expected in catalogue() {
        let wire = buy(&mut raw, expected.reason).await;
        check(&wire, "shop.example.com", expected.reason, &expected);
    }
}

#[tokio::test]
async fn each_of_the_nine_is_on_the_wire_as_the_table_says() {
    let mut raw = shop().await;
    for (reason, class, code) in NINE {
        let expected = expected(reason, code, &format!("what {reason} says"));
        let expected = match code {
            Code::Internal => expected.redacted(),
            _ => expected,
        };
        let wire = buy(&mut raw, reason).await;
        check(&wire, "apibase", class, &expected);
    }
}

#[test]
fn no_row_is_left_out() {
    let rows = |table: &apibase::ErrorTable| -> Vec<_> {
        table.rows().iter().map(|row| row.reason).collect()
    };
    let ours: Vec<_> = catalogue().iter().map(|row| row.reason).collect();
    assert_eq!(rows(ShopError::TABLE), ours);
    assert_eq!(rows(DomainError::TABLE), NINE.map(|(reason, ..)| reason));
}

#[test]
fn what_is_answered_over_http_is_the_rows_status_or_its_codes() {
    let http: Vec<_> = ShopError::TABLE
        .rows()
        .iter()
        .map(|row| (row.reason, row.http))
        .collect();
    let expected = [
        ("ITEM_NOT_FOUND", 404),
        ("SHOP_CLOSED", 503),
        // Its own, in place of 400.
        ("SOLD_OUT", 409),
        ("TILL_JAMMED", 500),
        ("BANNED", 403),
        ("CROWDED", 429),
        ("TILL_TAKEN", 409),
        ("MOVED", 501),
    ];
    assert_eq!(http, expected);
}

#[tokio::test]
async fn a_call_without_a_name_has_no_request_info() {
    let mut raw = shop().await;
    let order = Order {
        item_id: "SHOP_CLOSED".to_owned(),
    };
    let head = post_to("/errors_basic.ShopService/Buy").header("traceparent", "nonsense");
    let wire = raw.call(head, [frame(&order)]).await.failed();
    assert_eq!(wire.find::<RequestInfo>(), None);
    assert_eq!(wire.detail.unwrap().metadata, HashMap::new());
}

#[tokio::test]
async fn wrong_fields_and_delays_are_told_in_all_places() {
    let error = || {
        DomainError::validation("2 fields are wrong")
            .with_violation("sku", "is empty")
            .with_violation("price.units", "is negative")
            .with_retry_delay(Duration::from_millis(250))
    };
    let depot = common::Depot::new()
        .with("wrong", error())
        .with("retried", error().already_retried());
    let mut raw = depot.start().await.raw().await;
    for (fails, pushback) in [("wrong", "250"), ("retried", "-1")] {
        let parcel = apibase_tests::errors_calls::errors_calls::Parcel {
            id: "00000000-0000-0000-0000-000000000007".to_owned(),
            weight: 0,
            fails: fails.to_owned(),
        };
        let head = post_to("/errors_calls.ParcelService/Put");
        let wire = raw.call(head, [frame(&parcel)]).await.failed();
        let request: BadRequest = wire.find().unwrap();
        let violations = request.field_violations.iter();
        let violations: Vec<_> = violations
            .map(|violation| (&*violation.field, &*violation.description))
            .collect();
        let expected = [("sku", "is empty"), ("price.units", "is negative")];
        assert_eq!(violations, expected);
        let delay = wire.find::<RetryInfo>().unwrap().retry_delay.unwrap();
        assert_eq!((delay.seconds, delay.nanos), (0, 250_000_000));
        assert_eq!(wire.pushback.as_deref(), Some(pushback));
        assert_eq!(wire.message, "2 fields are wrong");
        assert_eq!(wire.detail.unwrap().field, "sku");
    }
}
