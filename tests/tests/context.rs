//! What goes with a call beside its messages: metadata, the correlation id, headers and trailers,
//! and errors with all they say.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::prost_types::Duration;
use apibase::{
    CallError, CallInfo, CallOptions, Code, Context, DomainError, ERROR_STATUS_TABLE, FailureKind,
    MetadataMap, Status, Streamed, TypedMetadata,
};
use common::{EchoReply, Running, Scripted, ask, count, failing, journal, reply};
use futures_util::{TryStreamExt, stream};

#[tokio::test]
async fn metadata_of_the_options_reaches_the_servicer_with_its_types() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        assert_eq!(ctx.metadata().text("x-page-size")?, Some(50));
        let delay = Duration {
            seconds: 1,
            nanos: 2,
        };
        assert_eq!(ctx.metadata().message("x-delay-bin")?, Some(delay));
        assert_eq!(ctx.method().unwrap().path(), "/echo.EchoService/Echo");
        Ok(reply(0, ""))
    });
    let client = Running::start(scripted).await.client().await;
    let delay = Duration {
        seconds: 1,
        nanos: 2,
    };
    let options = CallOptions::new()
        .metadata("x-page-size", 10)
        .metadata("x-page-size", 50)
        .metadata_message("x-delay-bin", &delay);
    let ctx = Context::background();
    client.with(options).echo(&ctx, ask("")).await.unwrap();
}

#[tokio::test]
async fn metadata_of_the_wrong_type_is_the_callers_fault() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        let size: Option<u32> = ctx.metadata().text("x-page-size")?;
        Ok(reply(size.unwrap().into(), ""))
    });
    let client = Running::start(scripted).await.client().await;
    let client = client.with(CallOptions::new().metadata("x-page-size", "many"));
    match client.echo(&Context::background(), ask("")).await {
        Err(CallError::Service(DomainError::Validation(fault))) => {
            assert_eq!(fault.violations().first().unwrap().field, "x-page-size");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn metadata_that_cannot_be_sent_fails_the_call_and_nothing_is_sent() {
    let (journal, mut entries) = journal();
    let scripted = Scripted::new().on_echo(move |_, _| {
        journal.write("called");
        async { Ok(reply(0, "")) }
    });
    let client = Running::start(scripted).await.client().await;
    for options in [
        CallOptions::new().metadata("grpc-timeout", "1S"),
        CallOptions::new().metadata("te", "trailers"),
        CallOptions::new().metadata("content-type", "text/plain"),
        CallOptions::new().metadata("user-agent", "me"),
        CallOptions::new().metadata("content-length", 1),
        CallOptions::new().metadata("host", "elsewhere"),
        CallOptions::new().metadata("x bad", 1),
        CallOptions::new().metadata("x-bin", 1),
        CallOptions::new().metadata("x", "\u{e4}"),
        CallOptions::new().metadata("x", "a\r\ngrpc-status: 0"),
        CallOptions::new().metadata_message("x", &()),
        CallOptions::new().metadata_message("grpc-status-details-bin", &()),
    ] {
        let client = client.with(options);
        let error = client
            .echo(&Context::background(), ask(""))
            .await
            .unwrap_err();
        assert_eq!(
            error.failure().unwrap().kind(),
            FailureKind::Encode,
            "{error}"
        );
        assert!(error.is_not_processed(), "{error}");
    }
    assert_eq!(entries.rest(), [""; 0]);
}

#[tokio::test]
async fn incoming_metadata_stays_and_the_correlation_id_goes_on() {
    let behind = Running::start(Scripted::new().on_echo(|ctx, _| async move {
        let metadata = ctx.metadata();
        assert!(metadata.get("authorization").is_none());
        assert!(metadata.get("x-tenant").is_none());
        assert!(metadata.get_bin("x-delay-bin").is_none());
        assert!(metadata.get("x-request-id").is_none());
        Ok(reply(0, ctx.correlation_id().unwrap()))
    }))
    .await;
    let behind = behind.client().await;
    let front = Scripted::new().on_echo(move |ctx, request| {
        let behind = behind.clone();
        async move {
            assert!(ctx.metadata().get("authorization").is_some());
            behind.echo(&ctx, request).await.map_err(|error| {
                DomainError::external_service(error.to_string()).with_source(error)
            })
        }
    });
    let client = Running::start(front).await.client().await;
    let options = CallOptions::new()
        .metadata("authorization", "Bearer secret")
        .metadata("x-tenant", "acme")
        .metadata_message("x-delay-bin", &Duration::default());

    let ctx = Context::background().with_correlation_id("id-1");
    let answer = client.with(options.clone()).echo(&ctx, ask("")).await;
    assert_eq!(answer.unwrap().payload, b"id-1");

    let options = options.metadata("x-request-id", "id-2");
    let answer = client
        .with(options)
        .echo(&Context::background(), ask(""))
        .await;
    assert_eq!(answer.unwrap().payload, b"id-2");
}

#[tokio::test]
async fn headers_and_trailers_come_back_from_each_kind() {
    fn note(ctx: &Context) -> Result<(), DomainError> {
        ctx.response().set_header("x-head", "h")?;
        ctx.response().set_trailer("x-tail", "t")?;
        Ok(())
    }
    let scripted = Scripted::new()
        .on_echo(|ctx, _| async move { note(&ctx).map(|()| reply(0, "")) })
        .on_count(|ctx, _| async move { note(&ctx).map(|()| Streamed::new(stream::empty())) })
        .on_collect(|ctx, _| async move { note(&ctx).map(|()| Default::default()) })
        .on_chat(|ctx, _| async move { note(&ctx).map(|()| Streamed::new(stream::empty())) });
    let client = Running::start(scripted).await.client().await;
    let info = CallInfo::new();
    let client = client.with(CallOptions::new().info(&info));
    let ctx = Context::background();
    let noted = |kind| {
        assert_eq!(info.headers().get("x-head").unwrap(), "h", "{kind}");
        assert_eq!(info.trailers().get("x-tail").unwrap(), "t", "{kind}");
        assert!(info.trailers().get("grpc-status").is_none(), "{kind}");
    };
    client.echo(&ctx, ask("")).await.unwrap();
    noted("unary");
    client.collect(&ctx, stream::empty()).await.unwrap();
    noted("client stream");
    for replies in [
        client.count(&ctx, count(0)).await,
        client.chat(&ctx, stream::empty()).await,
    ] {
        let mut replies = replies.unwrap();
        assert_eq!(replies.headers().get("x-head").unwrap(), "h");
        assert!(replies.trailers().is_empty());
        assert_eq!(replies.message().await.unwrap(), None);
        assert_eq!(replies.trailers().get("x-tail").unwrap(), "t");
        noted("stream of replies");
    }
}

#[tokio::test]
async fn a_trailer_may_be_set_while_the_stream_runs_and_a_header_may_not() {
    let scripted = Scripted::new().on_count(|ctx, _| async move {
        let replies = (0..3).map(move |number| {
            ctx.response().set_header("x-late", number)?;
            ctx.response().set_trailer("x-next-page-token", number)?;
            Ok(reply(number, ""))
        });
        Ok(Streamed::from_iter(replies))
    });
    let client = Running::start(scripted).await.client().await;
    let mut replies = client
        .count(&Context::background(), count(3))
        .await
        .unwrap();
    while replies.message().await.unwrap().is_some() {}
    assert_eq!(replies.trailers().get("x-next-page-token").unwrap(), "2");
    assert!(replies.headers().get("x-late").is_none());
    assert!(replies.trailers().get("x-late").is_none());
}

#[tokio::test]
async fn a_servicer_cannot_set_the_protocols_own_names() {
    let scripted = Scripted::new().on_echo(|ctx, _| async move {
        let response = ctx.response();
        for name in [
            "grpc-status",
            "grpc-message",
            "te",
            "content-type",
            "user-agent",
            "content-length",
            "transfer-encoding",
        ] {
            assert!(response.set_header(name, 1).is_err(), "{name}");
            assert!(response.set_trailer(name, 1).is_err(), "{name}");
        }
        // Not even by hand.
        response.headers(|headers| {
            headers.insert("grpc-status", "9".parse().unwrap());
            headers.insert("content-type", "text/plain".parse().unwrap());
            headers.insert("content-length", "1".parse().unwrap());
        });
        response.trailers(|trailers| trailers.insert("grpc-status", "9".parse().unwrap()));
        Ok(reply(1, ""))
    });
    let client = Running::start(scripted).await.client().await;
    let answer = client.echo(&Context::background(), ask("")).await;
    assert_eq!(answer.unwrap(), reply(1, ""));
}

#[tokio::test]
async fn trailers_of_a_failed_call_are_in_its_status() {
    let fail = |ctx: Context| {
        ctx.response().set_header("x-head", "h").unwrap();
        ctx.response().set_trailer("x-tail", "t").unwrap();
        DomainError::from(Status::aborted("race"))
    };
    let scripted = Scripted::new()
        .on_echo(move |ctx, _| async move { Err(fail(ctx)) })
        .on_count(move |ctx, _| async move { Ok(failing(1, fail(ctx))) });
    let client = Running::start(scripted).await.client().await;
    let info = CallInfo::new();
    let client = client.with(CallOptions::new().info(&info));
    let ctx = Context::background();
    let check = |error: CallError<DomainError>| {
        let status = error.failure().unwrap().status();
        assert_eq!((status.code(), status.message()), (Code::Aborted, "race"));
        assert_eq!(status.metadata().get("x-tail").unwrap(), "t");
        assert_eq!(info.trailers().get("x-tail").unwrap(), "t");
    };
    check(client.echo(&ctx, ask("")).await.unwrap_err());
    let replies = client.count(&ctx, count(1)).await.unwrap();
    assert_eq!(replies.headers().get("x-head").unwrap(), "h");
    check(replies.try_collect::<Vec<EchoReply>>().await.unwrap_err());
}

#[tokio::test]
async fn each_domain_error_comes_back_as_it_was_before_and_in_mid_stream() {
    fn error(index: usize) -> DomainError {
        let make = [
            DomainError::validation,
            DomainError::not_found,
            DomainError::unauthorized,
            DomainError::forbidden,
            DomainError::conflict,
            DomainError::rate_limit,
            DomainError::external_service,
            DomainError::database,
            DomainError::timeout,
        ];
        make.get(index).unwrap()(format!("what {index} \u{fc}"))
            .with_violation("a.b[3]", "is wrong")
            .with_violation("c", "too")
    }
    let at = |payload: u64| error(usize::try_from(payload).unwrap());
    let scripted = Scripted::new()
        .on_echo(move |_, request| async move { Err(at(request.payload.len() as u64)) })
        .on_count(move |_, request| async move { Ok(failing(2, at(request.count))) });
    let client = Running::start(scripted).await.client().await;
    let ctx = Context::background();
    for (index, row) in ERROR_STATUS_TABLE.rows().iter().enumerate() {
        let check = |error: CallError<DomainError>| {
            let CallError::Service(error) = error else {
                panic!("{error:?}");
            };
            assert_eq!(error.row(), Some(row));
            let fields: Vec<_> = error.fault().unwrap().violations().to_vec();
            if row.redacted {
                assert!(error.message().starts_with("the call failed; "), "{error}");
                assert_eq!(fields, []);
                return;
            }
            assert_eq!(error.message(), format!("what {index} \u{fc}"));
            assert_eq!(fields.len(), 2);
            assert_eq!(fields.first().unwrap().field, "a.b[3]");
        };
        check(client.echo(&ctx, ask(vec![0; index])).await.unwrap_err());
        let mut replies = client.count(&ctx, count(index as u64)).await.unwrap();
        assert!(replies.message().await.unwrap().is_some());
        assert!(replies.message().await.unwrap().is_some());
        check(replies.message().await.unwrap_err());
    }
}

#[tokio::test]
async fn a_raw_status_comes_back_with_its_details_and_metadata() {
    let raw = || {
        let mut metadata = MetadataMap::new();
        metadata.insert("x-why", "because".parse().unwrap());
        metadata
            .set_message("x-delay-bin", &Duration::default())
            .unwrap();
        metadata.insert("grpc-retry-pushback-ms", "10".parse().unwrap());
        let details = vec![0, 255, 1, 2].into();
        Status::with_details_and_metadata(Code::DataLoss, "100% lost: \u{e4}\n", details, metadata)
    };
    let scripted = Scripted::new()
        .on_echo(move |_, _| async move { Err(raw().into()) })
        .on_count(move |_, _| async move { Ok(failing(1, raw().into())) });
    let client = Running::start(scripted).await.client().await;
    let ctx = Context::background();
    let check = |error: CallError<DomainError>| {
        let status = error.failure().unwrap().status();
        let expected = raw();
        assert_eq!(status.code(), expected.code());
        assert_eq!(status.message(), expected.message());
        assert_eq!(status.details(), expected.details());
        for name in ["x-why", "grpc-retry-pushback-ms"] {
            assert_eq!(
                status.metadata().get(name),
                expected.metadata().get(name),
                "{name}"
            );
        }
        let delay = status.metadata().message::<Duration>("x-delay-bin");
        assert_eq!(delay, Ok(Some(Duration::default())));
    };
    check(client.echo(&ctx, ask("")).await.unwrap_err());
    let replies = client.count(&ctx, count(1)).await.unwrap();
    check(replies.try_collect::<Vec<EchoReply>>().await.unwrap_err());
}

#[tokio::test]
async fn metadata_that_no_peer_takes_is_an_error_of_its_call_alone() {
    fn large() -> String {
        "a".repeat(100_000)
    }
    let scripted = Scripted::new()
        .on_echo(|ctx, request| async move {
            if request.payload == b"headers" {
                ctx.response().set_header("x-large", large())?;
            } else {
                ctx.response().set_trailer("x-large", large())?;
            }
            match &*request.payload {
                b"fail" => Err(DomainError::not_found("gone")),
                _ => Ok(reply(0, "")),
            }
        })
        .on_count(|ctx, _| async move {
            ctx.response().set_trailer("x-large", large())?;
            Ok(failing(1, DomainError::not_found("gone")))
        });
    let client = Running::start(scripted).await.client().await;
    let ctx = Context::background();
    for payload in ["headers", "trailers"] {
        let error = client.echo(&ctx, ask(payload)).await.unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{error}");
    }
    let gone = |error: CallError<DomainError>| {
        assert!(
            matches!(error, CallError::Service(DomainError::NotFound(_))),
            "{error:?}"
        );
    };
    gone(client.echo(&ctx, ask("fail")).await.unwrap_err());
    let mut replies = client.count(&ctx, count(1)).await.unwrap();
    assert!(replies.message().await.unwrap().is_some());
    gone(replies.message().await.unwrap_err());

    let options = CallOptions::new().metadata("x-large", large());
    let error = client.with(options).echo(&ctx, ask("")).await.unwrap_err();
    assert_eq!(error.failure().unwrap().kind(), FailureKind::Encode);
}

#[tokio::test]
async fn metadata_up_to_the_limit_goes_both_ways() {
    let most = || "a".repeat(8 * 1024 - 32 - "x-large".len());
    let scripted = Scripted::new().on_echo(move |ctx, _| async move {
        let large: String = ctx.metadata().text("x-large")?.unwrap();
        ctx.response().set_header("x-large", &large)?;
        ctx.response().set_trailer("x-large", &large)?;
        Ok(reply(0, ""))
    });
    let client = Running::start(scripted).await.client().await;
    let info = CallInfo::new();
    let options = CallOptions::new().metadata("x-large", most()).info(&info);
    let ctx = Context::background();
    client.with(options).echo(&ctx, ask("")).await.unwrap();
    assert_eq!(info.headers().text("x-large"), Ok(Some(most())));
    assert_eq!(info.trailers().text("x-large"), Ok(Some(most())));
}
