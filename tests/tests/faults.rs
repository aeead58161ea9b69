//! Bad input over HTTP/2: each gets its answer, and the connection lives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;

use apibase::{Code, DomainError, Inbound, Streamed};
use bytes::Bytes;
use common::{
    Answer, CollectReply, EchoReply, EchoRequest, RawClient, Running, Scripted, ask, frame,
    frame_of, post, reply, soon,
};
use futures_util::StreamExt;
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// A connection to a server of echoes, and what keeps it there.
async fn connection() -> RawClient {
    Running::start(Scripted::new()).await.raw().await
}

/// Calls `Echo` with this body, gets a status of this code, and finds the connection alive.
async fn refused(raw: &mut RawClient, body: impl IntoIterator<Item = Bytes>, code: Code) {
    let answer = raw.call(post("Echo"), body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/grpc");
    assert_eq!(answer.code(), code, "{answer:?}");
    assert!(answer.body.is_empty());
    raw.lives().await;
}

#[tokio::test]
async fn garbage_is_a_status() {
    let mut raw = connection().await;
    for garbage in [
        &b"\xff\xff\xff\xff\xff\xff\xff"[..],
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x07",
    ] {
        refused(&mut raw, [Bytes::from_static(garbage)], Code::Internal).await;
    }
}

#[tokio::test]
async fn a_truncated_frame_is_a_status() {
    let mut raw = connection().await;
    let whole = frame(&ask("truncated"));
    for length in 1..whole.len() {
        refused(&mut raw, [whole.slice(..length)], Code::Internal).await;
    }
}

#[tokio::test]
async fn a_compressed_message_that_nobody_agreed_on_is_a_status() {
    let mut raw = connection().await;
    refused(&mut raw, [frame_of(1, 2, b"ab")], Code::Internal).await;
}

#[tokio::test]
async fn flags_that_are_not_defined_are_a_status() {
    let mut raw = connection().await;
    for flags in [2, 0x80, 0xff] {
        refused(&mut raw, [frame_of(flags, 0, b"")], Code::Internal).await;
    }
}

#[tokio::test]
async fn a_length_of_four_gibibytes_is_refused_before_it_is_read() {
    let mut raw = connection().await;
    let body = [frame_of(0, u32::MAX, b"a")];
    refused(&mut raw, body, Code::ResourceExhausted).await;
}

#[tokio::test]
async fn a_second_message_on_a_unary_call_is_a_status() {
    let mut raw = connection().await;
    let body = [frame(&ask("one")), frame(&ask("two"))];
    refused(&mut raw, body, Code::Unimplemented).await;
}

#[tokio::test]
async fn no_message_on_a_unary_call_is_a_status() {
    let mut raw = connection().await;
    refused(&mut raw, [], Code::Unimplemented).await;
    let (response, _) = raw.open(post("Echo"), true).await;
    let answer = Answer::read(soon(response).await.unwrap()).await;
    assert_eq!(answer.code(), Code::Unimplemented);
    raw.lives().await;
}

#[tokio::test]
async fn a_message_that_does_not_decode_is_a_status() {
    let mut raw = connection().await;
    refused(&mut raw, [frame_of(0, 3, b"\x0a\xff\x01")], Code::Internal).await;
}

#[tokio::test]
async fn a_path_that_is_not_served_is_unimplemented() {
    let mut raw = connection().await;
    for path in [
        "/echo.EchoService/Shout",
        "/echo.EchoService/echo",
        "/echo.EchoService/Echo/",
        "/echo.EchoService",
        "/other.Service/Echo",
        "/",
    ] {
        let head = post("Echo").uri(format!("http://localhost{path}"));
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.code(), Code::Unimplemented, "{path}");
        raw.lives().await;
    }
}

#[tokio::test]
async fn what_is_not_grpc_gets_an_http_status() {
    let mut raw = connection().await;
    let get = Request::get("http://localhost/echo.EchoService/Echo");
    let answer = raw
        .call(get.header("content-type", "application/grpc"), [])
        .await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers["allow"], "POST");
    says_what_this_is(&answer);
    raw.lives().await;

    let uri = "http://localhost/echo.EchoService/Echo";
    for kind in [
        "text/plain",
        "application/json",
        "application/grpc-web",
        "application/grpc+json",
    ] {
        let head = Request::post(uri).header("content-type", kind);
        let answer = raw.call(head, [frame(&ask(""))]).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
        says_what_this_is(&answer);
        raw.lives().await;
    }
    let answer = raw.call(Request::post(uri), [frame(&ask(""))]).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    raw.lives().await;
}

/// A line for who comes by browser or curl.
fn says_what_this_is(answer: &Answer) {
    let said = std::str::from_utf8(&answer.body).unwrap();
    assert!(said.contains("this is a gRPC server"), "{said}");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(answer.headers["content-length"], said.len().to_string());
    assert!(answer.trailers.is_none(), "{answer:?}");
}

#[tokio::test]
async fn who_asks_for_the_head_alone_gets_no_body() {
    let mut raw = connection().await;
    let head = Request::head("http://localhost/");
    let (response, _) = raw.open(head, true).await;
    let answer = Answer::read(soon(response).await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(answer.body.is_empty());
    raw.lives().await;
}

#[tokio::test]
async fn every_spelling_of_grpc_is_taken() {
    let mut raw = connection().await;
    for kind in ["application/grpc+proto", "application/grpc; charset=utf-8"] {
        let head = Request::post("http://localhost/echo.EchoService/Echo");
        let answer = raw
            .call(head.header("content-type", kind), [frame(&ask(""))])
            .await;
        assert_eq!(answer.code(), Code::Ok, "{kind}");
    }
}

#[tokio::test]
async fn an_unknown_encoding_is_unimplemented_and_says_what_is_known() {
    let mut raw = connection().await;
    let head = post("Echo").header("grpc-encoding", "zstd");
    let answer = raw.call(head, [frame_of(1, 2, b"ab")]).await;
    assert_eq!(answer.code(), Code::Unimplemented);
    assert_eq!(answer.headers["grpc-accept-encoding"], "identity");
    raw.lives().await;

    let head = post("Echo").header("grpc-encoding", "identity");
    let answer = raw.call(head, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test]
async fn a_malformed_timeout_is_a_status() {
    let mut raw = connection().await;
    for timeout in ["", "5", "S", "-1S", "1.5S", "5s", "123456789S", "1S "] {
        let head = post("Echo").header("grpc-timeout", timeout.trim_end_matches(' '));
        let answer = raw.call(head, [frame(&ask(""))]).await;
        let expected = if timeout == "1S " {
            Code::Ok
        } else {
            Code::Internal
        };
        assert_eq!(answer.code(), expected, "{timeout:?}");
        raw.lives().await;
    }
}

#[tokio::test]
async fn a_timeout_beyond_all_time_is_none() {
    let mut raw = connection().await;
    let head = post("Echo").header("grpc-timeout", "99999999H");
    let answer = raw.call(head, [frame(&ask(""))]).await;
    assert_eq!(answer.code(), Code::Ok);
}

#[tokio::test]
async fn a_frame_may_come_in_any_pieces() {
    let mut raw = connection().await;
    let whole = frame(&ask("pieces"));
    for at in 0..=whole.len() {
        let pieces = [whole.slice(..at), whole.slice(at..)];
        echoes(&raw.call(post("Echo"), pieces).await, b"pieces");
    }
    let bytes = (0..whole.len()).map(|at| whole.slice(at..=at));
    echoes(&raw.call(post("Echo"), bytes).await, b"pieces");
    let empty = [
        Bytes::new(),
        whole.slice(..3),
        Bytes::new(),
        whole.slice(3..),
        Bytes::new(),
    ];
    echoes(&raw.call(post("Echo"), empty).await, b"pieces");
}

#[tokio::test]
async fn several_messages_may_come_in_any_pieces() {
    let mut raw = connection().await;
    let all: Vec<u8> = ["a", "", "bc", "def"]
        .into_iter()
        .flat_map(|payload| frame(&ask(payload)))
        .collect();
    let all = Bytes::from(all);
    for size in 1..=all.len() {
        let pieces = (0..all.len()).step_by(size);
        let pieces = pieces.map(|at| all.slice(at..all.len().min(at + size)));
        let answer = raw.call(post("Collect"), pieces).await;
        assert_eq!(answer.code(), Code::Ok);
        let expected = CollectReply {
            count: 4,
            payloads: b"abcdef".to_vec(),
        };
        assert_eq!(answer.messages::<CollectReply>(), [expected]);
    }
}

#[tokio::test]
async fn a_request_that_does_not_decode_is_one_items_error_and_the_stream_goes_on() {
    let server = Running::start(
        Scripted::new().on_chat(|_, requests| async { Ok(answer_errors_too(requests)) }),
    );
    let mut raw = server.await.raw().await;
    let body = [
        frame(&ask("a")),
        frame_of(0, 3, b"\x0a\xff\x01"),
        frame(&ask("b")),
    ];
    let answer = raw.call(post("Chat"), body).await;
    assert_eq!(answer.code(), Code::Ok);
    let replies = answer.messages::<EchoReply>();
    assert_eq!(
        replies,
        [reply(0, "a"), reply(1, "Internal"), reply(0, "b")]
    );
}

#[tokio::test]
async fn a_frame_that_is_none_ends_an_inbound_stream() {
    let server = Running::start(
        Scripted::new().on_chat(|_, requests| async { Ok(answer_errors_too(requests)) }),
    );
    let mut raw = server.await.raw().await;
    let body = [frame(&ask("a")), frame_of(2, 0, b""), frame(&ask("b"))];
    let answer = raw.call(post("Chat"), body).await;
    let replies = answer.messages::<EchoReply>();
    assert_eq!(replies, [reply(0, "a"), reply(1, "Internal")]);
    raw.lives().await;
}

#[tokio::test]
async fn who_does_not_speak_http_2_disturbs_nobody() {
    let server = Running::start(Scripted::new()).await;
    let mut raw = server.raw().await;
    let mut silent = TcpStream::connect(server.addr).await.unwrap();
    let mut half = TcpStream::connect(server.addr).await.unwrap();
    half.write_all(b"PRI * HTTP/2.0\r\n").await.unwrap();
    raw.lives().await;

    for noise in [
        &b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"[..],
        &[0x16, 3, 1, 2, 0, 1, 0],
        &[0; 64],
    ] {
        let mut loud = TcpStream::connect(server.addr).await.unwrap();
        loud.write_all(noise).await.unwrap();
        // It is closed, whether something is said before or not.
        let mut said = Vec::new();
        let _ = soon(loud.read_to_end(&mut said)).await;
        raw.lives().await;
    }
    silent.write_all(b"late").await.unwrap();
    raw.lives().await;
    server.raw().await.lives().await;
}

#[tokio::test]
async fn a_lot_of_unread_input_does_not_starve_the_connection() {
    let mut raw = connection().await;
    let piece = Bytes::from(vec![0; 16 * 1024]);
    for _ in 0..50 {
        let (response, mut stream) = raw.open(post("Nowhere"), false).await;
        for _ in 0..8 {
            // Refused already, as likely as not.
            let _ = stream.send_data(piece.clone(), false);
        }
        let answer = Answer::read(soon(response).await.unwrap()).await;
        assert_eq!(answer.code(), Code::Unimplemented);
    }
    raw.lives().await;
}

#[tokio::test]
async fn small_messages_that_nobody_reads_wait_and_leave_the_connection_alone() {
    let release = Arc::new(Notify::new());
    let released = Arc::clone(&release);
    let server = Running::start(Scripted::new().on_collect(move |_, mut requests| {
        let released = Arc::clone(&released);
        async move {
            released.notified().await;
            let mut count = 0;
            while requests.message().await?.is_some() {
                count += 1;
            }
            Ok(CollectReply {
                count,
                ..CollectReply::default()
            })
        }
    }));
    let mut raw = server.await.raw().await;
    let (response, mut stream) = raw.open(post("Collect"), false).await;
    // Each a DATA frame of its own, and together less than the stream's window.
    let message = frame(&ask([7; 25]));
    for _ in 0..15_000 {
        stream.send_data(message.clone(), false).unwrap();
    }
    for _ in 0..20 {
        raw.lives().await;
    }
    stream.send_data(Bytes::new(), true).unwrap();
    release.notify_one();
    let answer = Answer::read(soon(response).await.unwrap()).await;
    assert_eq!(answer.code(), Code::Ok);
    assert_eq!(answer.messages::<CollectReply>()[0].count, 15_000);
}

fn echoes(answer: &Answer, payload: &[u8]) {
    assert_eq!(answer.code(), Code::Ok);
    let [reply] = &answer.messages::<EchoReply>()[..] else {
        panic!("not one reply: {answer:?}");
    };
    assert_eq!(reply.payload, payload);
}

/// Answers a request with its payload, and an error with its code.
fn answer_errors_too(requests: Inbound<EchoRequest>) -> Streamed<EchoReply, DomainError> {
    Streamed::new(requests.map(|request| {
        Ok(match request {
            Ok(request) => reply(0, request.payload),
            Err(error) => reply(1, format!("{:?}", error.code())),
        })
    }))
}
