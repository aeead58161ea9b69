//! The client against servers that get it wrong, and what each wrong amounts to.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use apibase::{CallError, CallInfo, CallOptions, Code, Context, DomainError, FailureKind};
use bytes::Bytes;
use common::{
    EchoReply, EchoServiceClient, Outcome, RawServer, ask, count, frame, frame_of, grpc_head,
    reply, soon, trailers,
};
use futures_util::stream;
use h2::Reason;
use http::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What a server answers: a head, DATA frames, and trailers, a plain end or a reset.
#[derive(Clone)]
struct Bad {
    head: Response<()>,
    data: Vec<Bytes>,
    end: End,
}

#[derive(Clone)]
enum End {
    Trailers(http::HeaderMap),
    Plain,
}

impl Bad {
    fn head(head: Response<()>) -> Self {
        Self {
            head,
            data: Vec::new(),
            end: End::Plain,
        }
    }

    fn grpc(data: impl IntoIterator<Item = Bytes>, end: End) -> Self {
        Self {
            head: grpc_head(),
            data: data.into_iter().collect(),
            end,
        }
    }

    /// A server that answers so to everything.
    async fn start(self) -> RawServer {
        RawServer::start(move |_, mut response| {
            let bad = self.clone();
            async move {
                let plain = bad.data.is_empty() && matches!(bad.end, End::Plain);
                let mut stream = response.send_response(bad.head, plain).unwrap();
                for data in bad.data {
                    stream.send_data(data, false).unwrap();
                }
                match bad.end {
                    End::Trailers(trailers) => stream.send_trailers(trailers).unwrap(),
                    End::Plain if plain => {}
                    End::Plain => stream.send_data(Bytes::new(), true).unwrap(),
                }
            }
        })
        .await
    }

    async fn unary(self) -> CallError<DomainError> {
        self.unary_reply().await.unwrap_err()
    }

    async fn unary_reply(self) -> Outcome<EchoReply> {
        let client = self.start().await.client().await;
        soon(client.echo(&Context::background(), ask(""))).await
    }

    /// Every message, and how the call ended.
    async fn stream(self) -> (usize, Outcome<()>) {
        let client = self.start().await.client().await;
        let ctx = Context::background();
        let mut replies = match soon(client.count(&ctx, count(1))).await {
            Ok(replies) => replies,
            Err(error) => return (0, Err(error)),
        };
        let mut read = 0;
        loop {
            match soon(replies.message()).await {
                Ok(Some(_)) => read += 1,
                Ok(None) => return (read, Ok(())),
                Err(error) => return (read, Err(error)),
            }
        }
    }
}

fn ok() -> End {
    End::Trailers(trailers(&[("grpc-status", "0")]))
}

fn kind(error: &CallError<DomainError>) -> FailureKind {
    error.failure().unwrap().kind()
}

#[tokio::test]
async fn an_http_status_without_a_grpc_one_is_mapped() {
    for (http, code) in [
        (400, Code::Internal),
        (401, Code::Unauthenticated),
        (403, Code::PermissionDenied),
        (404, Code::Unimplemented),
        (429, Code::Unavailable),
        (502, Code::Unavailable),
        (503, Code::Unavailable),
        (504, Code::Unavailable),
        (500, Code::Unknown),
        (418, Code::Unknown),
    ] {
        let head = Response::builder().status(http).body(()).unwrap();
        let error = Bad::head(head.clone()).unary().await;
        assert_eq!(error.code(), code, "{http}");
        assert!(error.to_string().contains(&http.to_string()), "{error}");
        let (read, end) = Bad::head(head).stream().await;
        assert_eq!((read, end.unwrap_err().code()), (0, code));
    }
}

#[tokio::test]
async fn a_grpc_status_beats_the_http_one() {
    let head = Response::builder().status(503).header("grpc-status", "5");
    let error = Bad::head(head.body(()).unwrap()).unary().await;
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn an_answer_without_a_content_type_is_not_grpc() {
    let error = Bad::head(Response::new(())).unary().await;
    assert_eq!(error.code(), Code::Unknown);
    let head = Response::builder().header("content-type", "text/html");
    let (_, end) = Bad::head(head.body(()).unwrap()).stream().await;
    assert!(end.unwrap_err().to_string().contains("content type"));
}

#[tokio::test]
async fn an_answer_without_a_status_is_unknown() {
    let error = Bad::grpc([frame(&reply(0, ""))], End::Plain).unary().await;
    assert_eq!(error.code(), Code::Unknown);
    let (read, end) = Bad::grpc([frame(&reply(0, ""))], End::Plain).stream().await;
    assert_eq!((read, end.unwrap_err().code()), (1, Code::Unknown));
    let none = End::Trailers(trailers(&[("x-other", "1")]));
    let (read, end) = Bad::grpc([], none).stream().await;
    assert_eq!((read, end.unwrap_err().code()), (0, Code::Unknown));
}

#[tokio::test]
async fn a_status_that_is_no_code_is_unknown() {
    for status in ["", "forty", "99", "-1", "00"] {
        let end = End::Trailers(trailers(&[("grpc-status", status)]));
        let error = Bad::grpc([], end).unary().await;
        assert_eq!(error.code(), Code::Unknown, "{status:?}");
    }
}

#[tokio::test]
async fn junk_in_details_does_not_hide_the_status() {
    for details in ["%%%", "AA", "////", "a", "=", "CAUS"] {
        let end = End::Trailers(trailers(&[
            ("grpc-status", "5"),
            ("grpc-message", "100%25 gone %E4 %"),
            ("grpc-status-details-bin", details),
            ("error-detail-bin", details),
        ]));
        let error = Bad::grpc([], end).unary().await;
        assert_eq!(error.code(), Code::NotFound, "{details:?}");
        assert_eq!(kind(&error), FailureKind::Status);
        assert!(error.to_string().contains("100% gone"), "{error}");
    }
}

#[tokio::test]
async fn a_reset_before_the_head_is_mapped() {
    for (reason, code) in [
        (Reason::REFUSED_STREAM, Code::Unavailable),
        (Reason::CANCEL, Code::Cancelled),
        (Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (Reason::INADEQUATE_SECURITY, Code::PermissionDenied),
        (Reason::INTERNAL_ERROR, Code::Internal),
        (Reason::PROTOCOL_ERROR, Code::Internal),
        (Reason::FLOW_CONTROL_ERROR, Code::Internal),
    ] {
        let server = RawServer::start(move |_, mut response| async move {
            response.send_reset(reason);
        });
        let client = server.await.client().await;
        let error = soon(client.echo(&Context::background(), ask("")))
            .await
            .unwrap_err();
        assert_eq!(error.code(), code, "{reason:?} before the head: {error}");
        assert!(error.is_transport(), "{reason:?}");
        let refused = reason == Reason::REFUSED_STREAM;
        assert_eq!(error.is_not_processed(), refused, "{reason:?}");
    }
}

#[tokio::test]
async fn a_reset_in_mid_stream_is_mapped_after_the_messages_before_it() {
    for (reason, code) in [
        (Reason::CANCEL, Code::Cancelled),
        (Reason::NO_ERROR, Code::Internal),
        (Reason::ENHANCE_YOUR_CALM, Code::ResourceExhausted),
        (Reason::REFUSED_STREAM, Code::Unavailable),
        (Reason::INTERNAL_ERROR, Code::Internal),
    ] {
        let read = Arc::new(Notify::new());
        let was_read = Arc::clone(&read);
        let server = RawServer::start(move |_, mut response| {
            let was_read = Arc::clone(&was_read);
            async move {
                let mut stream = response.send_response(grpc_head(), false).unwrap();
                stream.send_data(frame(&reply(0, "")), false).unwrap();
                was_read.notified().await;
                stream.send_reset(reason);
            }
        });
        let client = server.await.client().await;
        let ctx = Context::background();
        let mut replies = client.count(&ctx, count(1)).await.unwrap();
        soon(replies.message()).await.unwrap().unwrap();
        read.notify_one();
        let error = soon(replies.message()).await.unwrap_err();
        assert_eq!(error.code(), code, "{reason:?}: {error}");
        assert!(error.is_transport(), "{reason:?}");
        assert!(!error.is_not_processed(), "{reason:?}: it was answered");
    }
}

#[tokio::test]
async fn success_without_a_message_is_an_empty_stream_and_no_unary_reply() {
    let head = || {
        let mut head = grpc_head();
        head.headers_mut()
            .extend(trailers(&[("grpc-status", "0"), ("x-t", "v")]));
        head
    };
    let (read, end) = Bad::head(head()).stream().await;
    assert_eq!((read, end.is_ok()), (0, true));
    for bad in [Bad::head(head()), Bad::grpc([], ok())] {
        let error = bad.unary().await;
        assert_eq!(kind(&error), FailureKind::Decode);
        assert_eq!(error.code(), Code::Unimplemented);
    }

    let client = Bad::head(head()).start().await.client().await;
    let replies = client.count(&Context::background(), count(1)).await;
    let mut replies = replies.unwrap();
    assert_eq!(replies.message().await.unwrap(), None);
    assert_eq!(replies.trailers().get("x-t").unwrap(), "v");
}

#[tokio::test]
async fn a_second_reply_to_a_unary_call_is_a_failure() {
    let data = [frame(&reply(0, "a")), frame(&reply(1, "b"))];
    let error = Bad::grpc(data, ok()).unary().await;
    assert_eq!(kind(&error), FailureKind::Decode);
    assert_eq!(error.code(), Code::Unimplemented);
    assert!(error.to_string().contains("second reply"), "{error}");
}

#[tokio::test]
async fn a_status_in_the_head_counts_only_if_nothing_follows() {
    let answer = |data: Option<Bytes>, end| {
        let mut bad = Bad::grpc(data, end);
        let early = trailers(&[("grpc-status", "9"), ("x-t", "v")]);
        bad.head.headers_mut().extend(early);
        bad
    };
    let late = || End::Trailers(trailers(&[("grpc-status", "8")]));
    let data = || Some(frame(&reply(0, "a")));
    for (bad, code) in [
        (answer(None, End::Plain), Code::FailedPrecondition),
        (
            answer(Some(Bytes::new()), End::Plain),
            Code::FailedPrecondition,
        ),
        (answer(None, late()), Code::ResourceExhausted),
        (answer(data(), late()), Code::ResourceExhausted),
        (answer(data(), End::Plain), Code::Unknown),
    ] {
        let error = bad.clone().unary().await;
        assert_eq!(error.code(), code, "{error}");
        let (_, end) = bad.stream().await;
        assert_eq!(end.unwrap_err().code(), code);
    }
    assert!(answer(data(), ok()).unary_reply().await.is_ok());
}

#[tokio::test]
async fn a_reply_before_an_error_does_not_hide_it() {
    let end = End::Trailers(trailers(&[("grpc-status", "9")]));
    let error = Bad::grpc([frame(&reply(0, "a"))], end).unary().await;
    assert_eq!(error.code(), Code::FailedPrecondition);
}

#[tokio::test]
async fn a_reply_that_is_none_is_a_failure() {
    for (data, code) in [
        (frame_of(0, 3, b"\x0a\xff\x01"), Code::Internal),
        (frame_of(1, 1, b"a"), Code::Internal),
        (frame_of(7, 0, b""), Code::Internal),
        (frame_of(0, u32::MAX, b""), Code::ResourceExhausted),
        (frame_of(0, 9, b"cut"), Code::Internal),
        (Bytes::from_static(b"\0\0"), Code::Internal),
    ] {
        let error = Bad::grpc([data.clone()], ok()).unary().await;
        assert_eq!(
            (kind(&error), error.code()),
            (FailureKind::Decode, code),
            "{data:?}"
        );
        let (read, end) = Bad::grpc([frame(&reply(0, "")), data], ok()).stream().await;
        assert_eq!((read, end.unwrap_err().code()), (1, code));
    }
}

#[tokio::test]
async fn an_answer_in_an_unknown_encoding_is_a_failure() {
    let mut head = grpc_head();
    head.headers_mut()
        .extend(trailers(&[("grpc-encoding", "snappy")]));
    let error = Bad::head(head).unary().await;
    assert_eq!(error.code(), Code::Internal);
    assert!(error.to_string().contains("compressed"), "{error}");
}

#[tokio::test]
async fn a_connection_that_breaks_is_unavailable_and_the_next_call_has_a_new_one() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for attempt in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let mut connection = h2::server::handshake(stream).await.unwrap();
            let (_, mut response) = connection.accept().await.unwrap().unwrap();
            if attempt == 0 {
                // Dropped, with a call on it.
                continue;
            }
            let mut stream = response.send_response(grpc_head(), false).unwrap();
            stream.send_data(frame(&reply(7, "")), false).unwrap();
            stream
                .send_trailers(trailers(&[("grpc-status", "0")]))
                .unwrap();
            tokio::spawn(async move { while connection.accept().await.is_some() {} });
        }
    });
    let client = EchoServiceClient::connect(format!("http://{addr}"))
        .await
        .unwrap();
    let ctx = Context::background();
    let once = client.with(CallOptions::new().no_retry());
    let error = soon(once.echo(&ctx, ask(""))).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!(
        error.is_transport() && !error.is_not_processed(),
        "{error:?}"
    );
    assert_eq!(soon(client.echo(&ctx, ask(""))).await.unwrap().number, 7);
}

#[tokio::test]
async fn a_server_that_says_goodbye_to_a_call_it_has_not_seen_leaves_it_unprocessed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        // The preface is read, and one stream's HEADERS; none was processed, says the GOAWAY.
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let mut read = Vec::new();
        while !read.windows(4).any(|bytes| bytes == b"Echo") && read.len() < 150 {
            stream.read_buf(&mut read).await.unwrap();
        }
        let goaway = b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\0";
        stream.write_all(goaway).await.unwrap();
        while stream.read_buf(&mut read).await.is_ok_and(|n| n > 0) {}
    });
    let client = EchoServiceClient::connect(format!("http://{addr}"))
        .await
        .unwrap();
    let error = soon(client.echo(&Context::background(), ask("")))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!(
        error.is_transport() && error.is_not_processed(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_server_that_answers_an_upload_at_once_is_heard() {
    let end = End::Trailers(trailers(&[("grpc-status", "7"), ("x-why", "full")]));
    let client = Bad::grpc([], end).start().await.client().await;
    let info = CallInfo::new();
    let client = client.with(CallOptions::new().info(&info));
    let endless = stream::repeat_with(|| ask(vec![0; 1000]));
    let error = soon(client.collect(&Context::background(), endless))
        .await
        .unwrap_err();
    assert_eq!(error.code(), Code::PermissionDenied);
    assert_eq!(info.trailers().get("x-why").unwrap(), "full");
}

#[tokio::test]
async fn a_server_that_says_nothing_meets_the_deadline() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    let client = EchoServiceClient::connect_lazy(target).unwrap();
    let ctx = Context::background().with_timeout(Duration::from_millis(50));
    let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_server_of_another_protocol_is_a_transport_failure() {
    for words in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\0\0\0", b""] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(words).await.unwrap();
                // What was sent is read first, so that the end isn't a reset.
                let mut read = [0; 24];
                stream.read_exact(&mut read).await.unwrap();
            }
        });
        let client = EchoServiceClient::connect_lazy(target).unwrap();
        let ctx = Context::background();
        let error = soon(client.echo(&ctx, ask(""))).await.unwrap_err();
        assert!(error.is_transport(), "{words:?}: {error:?}");
    }
}

#[tokio::test]
async fn an_error_with_large_details_is_read_whole() {
    for size in [13_000, 60_000, 180_000] {
        let details = vec![7_u8; size];
        let encoded = base64(&details);
        let end = trailers(&[
            ("grpc-status", "9"),
            ("grpc-message", "large"),
            ("grpc-status-details-bin", &encoded),
        ]);
        let error = Bad::grpc([frame(&reply(0, "a"))], End::Trailers(end))
            .unary()
            .await;
        assert_eq!(kind(&error), FailureKind::Status, "{size}: {error}");
        let failure = error.failure().unwrap();
        assert_eq!(failure.status().code(), Code::FailedPrecondition);
        assert_eq!(failure.status().details(), details);
    }
}

/// As tonic encodes binary metadata.
fn base64(bytes: &[u8]) -> String {
    let value = tonic::metadata::MetadataValue::from_bytes(bytes);
    String::from_utf8(value.as_encoded_bytes().to_vec()).unwrap()
}
