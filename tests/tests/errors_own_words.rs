//! What the runtime says about what a caller did is told to that caller as it is, whether the runtime
//! answers or a servicer hands it on: nothing of it is the service's own affair.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use apibase::{Code, ErrorPolicy, Interceptors};
use bytes::Bytes;
use common::{
    Answer, Depot, RawClient, Running, Scripted, When, frame_of, log, parcel_frame, post,
    post_parcel,
};

/// The first field of a message, with a length that isn't there.
fn undecodable() -> Bytes {
    frame_of(0, 2, &[0x0a, 0x7f])
}

/// A frame whose flags nobody has defined.
fn no_frame() -> Bytes {
    frame_of(7, 0, b"")
}

/// Bodies that are wrong, and what is said of each; those of methods that take one message are told
/// by the runtime, and the others by their servicer's `?`.
fn wrong_bodies(good: &Bytes, streams: bool) -> Vec<(Vec<Bytes>, Code, &'static str)> {
    let mut bodies = vec![
        (
            vec![undecodable()],
            Code::Internal,
            "a request does not decode: ",
        ),
        (vec![no_frame()], Code::Internal, "flags"),
        (vec![Bytes::from_static(b"GET /")], Code::Internal, ""),
        (
            vec![frame_of(0, u32::MAX, b"")],
            Code::ResourceExhausted,
            "a message of 4294967295 bytes",
        ),
        (vec![frame_of(1, 0, b"")], Code::Internal, "compressed"),
    ];
    if streams {
        let later = bodies.iter().map(|(body, code, said)| {
            let body = [std::slice::from_ref(good), body].concat();
            (body, *code, *said)
        });
        let later: Vec<_> = later.collect();
        bodies.extend(later);
    } else {
        let second = vec![good.clone(), good.clone()];
        bodies.push((
            second,
            Code::Unimplemented,
            "the request has a second message",
        ));
        bodies.push((
            vec![],
            Code::Unimplemented,
            "the request ended without its message",
        ));
    }
    bodies
}

/// That the caller was told, and that the log has nothing to say.
fn told(answer: &Answer, code: Code, said: &str, how: &str) {
    let wire = answer.failed();
    assert_eq!(wire.code, code, "{how}");
    assert!(wire.message.contains(said), "{how}: {}", wire.message);
    assert!(!wire.message.is_empty(), "{how}");
    assert!(
        !wire.message.contains("error id"),
        "{how}: {}",
        wire.message
    );
}

async fn tells(
    raw: &mut RawClient,
    head: impl Fn() -> http::request::Builder,
    good: &Bytes,
    streams: bool,
) {
    for (body, code, said) in wrong_bodies(good, streams) {
        let how = format!("{:?}, {body:?}", head().uri_ref());
        let log = log();
        let answer = raw.call(head(), body).await;
        told(&answer, code, said, &how);
        assert_eq!(log.own_lines(), [""; 0], "{how}");
    }
}

#[tokio::test]
async fn a_service_of_the_nine_tells_what_is_wrong_with_a_request() {
    let mut raw = Running::start(Scripted::new()).await.raw().await;
    let good = common::frame(&common::ask("good"));
    for (method, streams) in [
        ("Echo", false),
        ("Count", false),
        ("Collect", true),
        ("Chat", true),
    ] {
        tells(&mut raw, || post(method), &good, streams).await;
        raw.lives().await;
    }
}

#[tokio::test]
async fn a_service_with_a_catalogue_tells_what_is_wrong_with_a_request() {
    let mut raw = Depot::new().start().await.raw().await;
    let good = parcel_frame("", When::Later);
    for (method, streams) in [
        ("Put", false),
        ("Unpack", false),
        ("PutAll", true),
        ("Weigh", true),
    ] {
        tells(&mut raw, || post_parcel(method), &good, streams).await;
        raw.takes_parcels().await;
    }
}

/// Not even a policy that hides all that it can.
#[tokio::test]
async fn a_policy_changes_nothing_about_it() {
    let policy = ErrorPolicy::new().with_redacted(apibase::DOMAIN, "VALIDATION");
    let chain = Interceptors::none().with_errors(policy);
    let mut raw = Depot::new().start_with(chain).await.raw().await;
    let good = parcel_frame("", When::Later);
    tells(&mut raw, || post_parcel("PutAll"), &good, true).await;
}
