//! Services behind services: what the error of the one is to the callers of the other, by the one
//! translator that the generator writes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::time::Duration;

use apibase::codegen::Inbound;
use apibase::{
    CallError, Code, Context, DomainError, FailureKind, Server, ServiceError, Status, Streamed,
};
use apibase_tests::errors_basic::errors_basic::api::{
    FromShopError, ShopError, ShopServiceClient, ShopServiceServer, ShopServicer,
};
use apibase_tests::errors_basic::errors_basic::{Order, Receipt};
use apibase_tests::errors_calls::errors_calls::Stored;
use common::{
    EchoServiceClient, Nobody, Parcel, ParcelError, ParcelServiceClient, ParcelServiceServer,
    ParcelServicer, RetryInfo, Running, Scripted, When, any, ask, failing_parcel, log_of_all, once,
    parcel_frame, post_parcel, rich, sample, soon,
};

type Replies = Streamed<Parcel, ParcelError>;

/// Asks a shop, whatever it is asked.
struct AsksShop(ShopServiceClient);

impl AsksShop {
    async fn buy(&self, ctx: &Context, item_id: String) -> Result<(), ParcelError> {
        let order = Order { item_id };
        let bought = self.0.buy(ctx, order).await;
        bought.map_err(ParcelError::from_shop_error)?;
        Ok(())
    }
}

impl ParcelServicer for AsksShop {
    async fn put(&self, ctx: &Context, request: Parcel) -> Result<Parcel, ParcelError> {
        self.buy(ctx, request.fails.clone()).await?;
        Ok(request)
    }

    async fn unpack(&self, ctx: &Context, request: Parcel) -> Result<Replies, ParcelError> {
        self.buy(ctx, request.fails).await?;
        Ok(Streamed::from_iter([]))
    }

    async fn put_all(&self, _: &Context, _: Inbound<Parcel>) -> Result<Stored, ParcelError> {
        Ok(Stored::default())
    }

    async fn weigh(&self, _: &Context, _: Inbound<Parcel>) -> Result<Replies, ParcelError> {
        Ok(Streamed::from_iter([]))
    }
}

/// Fails with the sample of the row whose reason it is asked for; else asks an echo, and hands on what
/// that fails with.
struct Shop(EchoServiceClient);

impl ShopServicer for Shop {
    async fn buy(&self, ctx: &Context, order: Order) -> Result<Receipt, ShopError> {
        if let Some(row) = ShopError::TABLE.row(&order.item_id) {
            return Err(sample(row));
        }
        let asked = self.0.echo(ctx, ask(order.item_id)).await;
        asked.map_err(|error| match error.into_service() {
            Ok(error) => error,
            Err(failure) => DomainError::upstream(*failure),
        })?;
        Ok(Receipt::default())
    }

    async fn give_back(&self, _: &Context, _: Receipt) -> Result<Order, ShopError> {
        Ok(Order::default())
    }
}

/// Parcels ask a shop that asks an echo.
async fn three(echo: EchoServiceClient) -> Running {
    let shop = Server::new().add_servicer(ShopServiceServer::new(Shop(echo)));
    let shop = Running::of(shop).await.target();
    let shop = soon(once().connect(shop)).await.unwrap();
    let shop = ShopServiceClient::new(shop);
    let parcels = ParcelServiceServer::new(AsksShop(shop));
    Running::of(Server::new().add_servicer(parcels)).await
}

/// The same with an echo that fails so.
async fn three_failing(error: impl Into<DomainError>) -> Running {
    let error = error.into();
    let scripted = Scripted::new().on_echo(move |_, _| {
        let error = error.clone();
        async move { Err(error) }
    });
    three(Running::start(scripted).await.client().await).await
}

async fn put(client: &ParcelServiceClient, fails: &str) -> CallError<ParcelError> {
    let ctx = Context::background();
    let parcel = failing_parcel(fails, When::AtOnce);
    soon(client.put(&ctx, parcel)).await.unwrap_err()
}

/// The error that the parcels' caller gets.
async fn own(client: &ParcelServiceClient, fails: &str) -> ParcelError {
    match put(client, fails).await {
        CallError::Service(error) => error,
        other => panic!("{fails}: {other:?}"),
    }
}

fn of(reason: &str, key: &str) -> String {
    format!("{key} of {reason}: \u{fc} {{}} 100%")
}

#[tokio::test]
async fn each_reason_becomes_what_the_translator_says() {
    let nobody = Nobody::new();
    let echo = EchoServiceClient::new(once().channel(nobody.target()).unwrap());
    let client = three(echo).await.parcels().await;
    let mut translated = 0;
    for row in ShopError::TABLE.rows() {
        use DomainError as D;
        use ParcelError as E;
        let reason = row.reason;
        let error = own(&client, reason).await;
        match (reason, &error) {
            ("ITEM_NOT_FOUND", E::ParcelLost { id }) => assert_eq!(*id, of(reason, "item_id")),
            ("SHOP_CLOSED", E::VanFull) => {}
            ("SOLD_OUT", E::TooHeavy { weight, limit }) => {
                assert_eq!(*weight, of(reason, "price"));
                assert_eq!(*limit, of(reason, "item_id"));
            }
            // The shop told nobody which till it was, and since when; and so do the parcels.
            ("TILL_JAMMED", E::VanBroken { plate }) => assert_eq!(plate, ""),
            ("BANNED", E::Seized { officer }) => assert_eq!(officer, ""),
            ("CROWDED", E::Domain(error @ D::RateLimit(_))) => {
                assert_eq!(error.message(), "the shop is crowded");
            }
            ("TILL_TAKEN", E::Domain(error @ D::Conflict(_))) => {
                assert_eq!(error.message(), of(reason, "till"));
            }
            ("MOVED", E::Domain(error @ D::NotFound(_))) => {
                assert_eq!(error.message(), of(reason, "address"));
            }
            other => panic!("{other:?}"),
        }
        translated += 1;
    }
    assert_eq!(translated, 8);
}

#[tokio::test]
async fn an_error_that_every_service_has_stays_what_it_is() {
    let error = DomainError::validation("2 are wrong")
        .with_violation("items[3]", "is wrong")
        .with_retry_delay(Duration::from_secs(3));
    let expected = format!("{:?}", ParcelError::Domain(error.clone()));
    let client = three_failing(error).await.parcels().await;
    assert_eq!(format!("{:?}", own(&client, "ask").await), expected);
}

/// What it failed by is another service's affair: the callers are told that one failed.
#[tokio::test]
async fn any_other_failure_is_one_of_a_service_behind() {
    for (status, expected, retryable) in [
        (Status::unavailable("at 10.0.0.7"), "ExternalService", true),
        (Status::not_found("at 10.0.0.7"), "ExternalService", false),
        (Status::internal("at 10.0.0.7"), "ExternalService", false),
        (Status::deadline_exceeded("at 10.0.0.7"), "Timeout", false),
    ] {
        let running = three_failing(status.clone()).await;
        let log = log_of_all();
        let error = put(&running.parcels().await, "ask").await;
        assert_eq!(error.is_retryable(), retryable, "{status:?}");
        let text = format!("{error:?}");
        assert!(
            text.starts_with(&format!("Service(Domain({expected}")),
            "{text}"
        );

        let mut raw = running.raw().await;
        let body = [parcel_frame("ask", When::AtOnce)];
        let wire = raw.call(post_parcel("Put"), body).await.failed();
        assert!(
            wire.message.starts_with("a service behind this one "),
            "{wire:?}"
        );
        let details = wire.rich.details.iter();
        let details: Vec<u8> = details.flat_map(|detail| detail.value.clone()).collect();
        assert!(!String::from_utf8_lossy(&details).contains("10.0.0.7"));

        // Who reads the shop's log finds what it was.
        let lines = log.own_lines();
        let has = |line: &&String| {
            let internal = status.code() == Code::Internal;
            line.contains("ShopService/Buy")
                && line.contains("causes=")
                && (internal || line.contains("at 10.0.0.7"))
        };
        assert_eq!(lines.iter().filter(has).count(), 2, "{lines:?}");
    }
}

#[tokio::test]
async fn a_service_that_nobody_serves_is_one_of_a_service_behind() {
    let nobody = Nobody::new();
    let echo = EchoServiceClient::new(once().channel(nobody.target()).unwrap());
    let client = three(echo).await.parcels().await;
    let error = put(&client, "ask").await;
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.is_retryable());
    // The parcels have acted on the call, whether or not the echo has.
    assert!(!error.is_not_processed() && !error.is_transport());
}

/// Retries must not multiply along a chain: who has retried says so, and all before it heed it.
#[tokio::test]
async fn who_has_retried_is_heard_by_all_hops_before() {
    let mut pushed_back = Status::unavailable("down");
    let metadata = pushed_back.metadata_mut();
    metadata.insert("grpc-retry-pushback-ms", "-1".parse().unwrap());
    for (error, is_marked) in [
        (
            DomainError::external_service("down").already_retried(),
            true,
        ),
        (DomainError::rate_limit("down").already_retried(), true),
        (pushed_back.into(), true),
        (DomainError::external_service("down"), false),
        (Status::unavailable("down").into(), false),
    ] {
        let running = three_failing(error.clone()).await;
        let client = running.parcels().await;
        let got = put(&client, "ask").await;
        assert_eq!(got.is_retryable(), !is_marked, "{error:?}");
        let CallError::Service(ParcelError::Domain(got)) = got else {
            panic!("{error:?}: {got:?}");
        };
        assert_eq!(got.fault().unwrap().is_already_retried(), is_marked);

        let body = [parcel_frame("ask", When::AtOnce)];
        let mut raw = running.raw().await;
        let wire = raw.call(post_parcel("Put"), body).await.failed();
        let pushback = wire.pushback.as_deref();
        assert_eq!(pushback, is_marked.then_some("-1"), "{error:?}");
    }
}

/// When to come back is told along the chain, whoever said it.
#[tokio::test]
async fn a_delay_is_heard_by_all_hops_before() {
    let delay = apibase::prost_types::Duration {
        seconds: 7,
        nanos: 0,
    };
    let info = RetryInfo {
        retry_delay: Some(delay),
    };
    let seven = Duration::from_secs(7);
    for error in [
        DomainError::rate_limit("busy").with_retry_delay(seven),
        rich(Code::Unavailable, "busy", vec![any(&info)]).into(),
    ] {
        let client = three_failing(error.clone()).await.parcels().await;
        let got = put(&client, "ask").await;
        assert_eq!(got.retry_delay(), Some(seven), "{error:?}");
        assert!(got.is_retryable(), "{error:?}");
    }
}

/// The deadline is that of the first caller, and whoever notices first, it is one for all.
#[tokio::test]
async fn time_that_runs_out_behind_runs_out_for_all() {
    let slow = Scripted::new().on_echo(|_, _| std::future::pending());
    let echo = Running::start(slow).await.client().await;
    let client = three(echo).await.parcels().await;
    let ctx = Context::background().with_timeout(Duration::from_millis(50));
    let parcel = failing_parcel("ask", When::AtOnce);
    let error = soon(client.put(&ctx, parcel)).await.unwrap_err();
    assert!(error.is_timeout() && !error.is_retryable(), "{error:?}");
    if let Some(failure) = error.failure() {
        let kinds = [FailureKind::Deadline, FailureKind::Status];
        assert!(kinds.contains(&failure.kind()), "{failure:?}");
    }
}
