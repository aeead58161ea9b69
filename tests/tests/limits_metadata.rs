//! How large metadata may be, byte by byte.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;
mod wiretap;

use apibase::{CallOptions, Code, Context, Interceptors, Refusal};
use common::{RetryInfo, Running, Scripted, Seen, ask, frame, post, recorder, soon};
use http::StatusCode;

const LIMIT: usize = 1000;

/// What h2 takes beyond our limit, so that we can say what is wrong.
const ROOM: usize = 64 * 1024;

/// A request whose head takes exactly this many bytes, as HTTP/2 counts.
fn head_of(size: usize) -> http::request::Builder {
    let request = post("Echo").body(()).unwrap();
    let pseudo = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "localhost"),
        (":path", "/echo.EchoService/Echo"),
    ];
    let pseudo = pseudo.map(|(name, value)| name.len() + value.len() + 32);
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + 32);
    let taken = pseudo.into_iter().chain(fields).sum::<usize>() + "x-pad".len() + 32;
    post("Echo").header("x-pad", "x".repeat(size - taken))
}

#[tokio::test]
async fn a_head_at_the_limit_is_taken_and_one_byte_more_is_told_what_is_wrong() {
    let (observer, mut recording) = recorder();
    let server = Running::with(Scripted::new(), |server| {
        let chain = Interceptors::none().with_observer(observer);
        server.max_metadata_size(LIMIT).interceptors(chain)
    })
    .await;
    let mut raw = server.raw().await;
    let answer = raw.call(head_of(LIMIT), [frame(&ask("a"))]).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    assert!(matches!(recording.next().await, Seen::Started(..)));
    assert!(matches!(recording.next().await, Seen::Ended(..)));

    for (size, more) in [(LIMIT + 1, "1001 bytes"), (LIMIT + ROOM - 1, "66535 bytes")] {
        let answer = raw.call(head_of(size), [frame(&ask("a"))]).await;
        assert_eq!(answer.status, StatusCode::OK);
        let failed = answer.failed();
        assert_eq!(failed.code, Code::ResourceExhausted);
        let info = failed.info();
        let named = (info.domain.as_str(), info.reason.as_str());
        assert_eq!(named, ("apibase", "METADATA_TOO_LARGE"));
        let said = &failed.message;
        assert!(said.contains(more) && said.contains("takes 1000"), "{said}");
        assert_eq!(failed.find::<RetryInfo>(), None, "waiting doesn't help");
        let path = "/echo.EchoService/Echo".to_owned();
        let refused = Seen::Refused(path, Refusal::MetadataTooLarge, Code::ResourceExhausted);
        assert_eq!(recording.next().await, refused);
        assert_eq!(recording.rest(), []);
    }
    raw.lives().await;
}

#[tokio::test]
async fn by_default_there_are_sixteen_kibibytes() {
    let server = Running::start(Scripted::new()).await;
    let mut raw = server.raw().await;
    let limit = 16 * 1024;
    let answer = raw.call(head_of(limit), [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok, "{answer:?}");
    let answer = raw.call(head_of(limit + 1), [frame(&ask(""))]).await;
    assert_eq!(answer.failed().info().reason, "METADATA_TOO_LARGE");
    // Names count too, and what is there many times.
    let mut many = post("Echo");
    for number in 0..500 {
        many = many.header(format!("x-{number:04}"), "");
    }
    let answer = raw.call(many, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn what_is_no_grpc_hears_of_that_first_and_timeouts_are_read_as_ever() {
    let server = Running::with(Scripted::new(), |server| server.max_metadata_size(LIMIT)).await;
    let mut raw = server.raw().await;
    let not_grpc = http::Request::post("http://localhost/echo.EchoService/Echo")
        .header("x-pad", "x".repeat(2 * LIMIT));
    let answer = raw.call(not_grpc, []).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let spent = post("Echo").header("grpc-timeout", "0n");
    let answer = raw.call(spent, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_generated_client_is_told_too() {
    let server = Running::with(Scripted::new(), |server| server.max_metadata_size(LIMIT)).await;
    let client = server.client().await;
    let ctx = Context::background();
    let options = CallOptions::new().metadata("x-pad", "x".repeat(LIMIT));
    let client = client.with(options);
    let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted);
    assert!(error.to_string().contains("takes 1000"), "{error}");
}

#[tokio::test]
async fn peers_are_told_of_the_room_for_explanations_too() {
    for limit in [LIMIT, 32 * 1024] {
        let server = Running::with(Scripted::new(), |server| server.max_metadata_size(limit)).await;
        let (_peer, mut heard) = wiretap::deaf_to(server.addr, &[]).await;
        let (_, header_list) = heard.limits().await;
        assert_eq!(usize::try_from(header_list).unwrap(), limit + ROOM);
    }
}

#[tokio::test]
async fn what_is_far_too_large_is_refused_by_h2_and_harms_nobody_else() {
    let server = Running::with(Scripted::new(), |server| server.max_metadata_size(LIMIT)).await;
    let mut honest = server.raw().await;
    honest.lives().await;

    let mut raw = server.raw().await;
    let answer = raw.call(head_of(LIMIT + ROOM), []).await;
    let too_large = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    assert_eq!(answer.status, too_large, "no gRPC any more: {answer:?}");
    raw.lives().await;

    // 10 MiB: the connection goes, long before they are all there.
    let (response, _body) = raw.open(head_of(10 << 20), true).await;
    soon(response).await.unwrap_err();
    honest.lives().await;
    server.raw().await.lives().await;
}
