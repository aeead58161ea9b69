//! Compressed messages over HTTP/2: what is read, what is sent, and what is refused.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod packing;

use apibase::Compression::{Gzip, Zstd};
use apibase::{Code, Compression, Streamed};
use common::{
    Answer, CollectReply, EchoReply, RawClient, Running, Scripted, ask, count, frame, frame_of,
    post, reply,
};
use futures_util::{StreamExt, stream};
use packing::{marked, packed, packed_frame, replies};

const BOTH: [Compression; 2] = [Gzip, Zstd];
const LARGE: usize = 100_000;

fn large() -> Vec<u8> {
    (0..LARGE).map(|at| u8::try_from(at % 7).unwrap()).collect()
}

async fn serving(scripted: Scripted, encodings: &[Compression]) -> Running {
    let encodings = encodings.to_vec();
    Running::with(scripted, |server| server.compression(encodings)).await
}

async fn connection() -> RawClient {
    serving(Scripted::new(), &BOTH).await.raw().await
}

fn post_as(method: &str, encoding: Compression) -> http::request::Builder {
    post(method).header("grpc-encoding", encoding.as_str())
}

fn message(answer: &Answer) -> String {
    let head = Some(&answer.headers).filter(|head| head.contains_key("grpc-message"));
    let status = head.or(answer.trailers.as_ref()).unwrap();
    let message = status["grpc-message"].to_str().unwrap();
    message.replace("%20", " ")
}

#[tokio::test]
async fn compressed_requests_are_read_in_each_kind() {
    let mut raw = connection().await;
    for encoding in BOTH {
        for payload in [vec![], b"small".to_vec(), large()] {
            let request = packed_frame(encoding, &ask(payload.clone()));
            let answer = raw.call(post_as("Echo", encoding), [request.clone()]).await;
            assert_eq!(answer.code(), Code::Ok, "{encoding}");
            assert!(replies::<EchoReply>(&answer) == [(false, reply(0, payload.clone()))]);

            // Of one stream, some are compressed and some are not.
            let body = [request.clone(), frame(&ask(payload.clone())), request];
            let answer = raw.call(post_as("Collect", encoding), body.clone()).await;
            let collected = &replies::<CollectReply>(&answer)[0].1;
            assert!((collected.count, &collected.payloads) == (3, &payload.repeat(3)));

            let answer = raw.call(post_as("Chat", encoding), body).await;
            let expected: Vec<_> = (0..3).map(|n| (false, reply(n, payload.clone()))).collect();
            assert!(replies::<EchoReply>(&answer) == expected);
        }
        let request = [packed_frame(encoding, &count(3))];
        let answer = raw.call(post_as("Count", encoding), request).await;
        assert_eq!(replies::<EchoReply>(&answer).len(), 3);
    }
}

#[tokio::test]
async fn replies_are_compressed_for_who_takes_it_and_where_it_is_worth_it() {
    let mut raw = connection().await;
    for (takes, as_what) in [
        ("gzip", Some("gzip")),
        ("identity, zstd", Some("zstd")),
        ("zstd,gzip", Some("gzip")),
        ("snappy,identity", None),
        ("", None),
    ] {
        for (payload, is_worth_it) in [(large(), true), (vec![0; 900], false)] {
            let head = post("Echo").header("grpc-accept-encoding", takes);
            let answer = raw.call(head, [frame(&ask(payload.clone()))]).await;
            assert_eq!(answer.code(), Code::Ok);
            let said = answer.headers.get("grpc-encoding");
            assert_eq!(said.map(|name| name.to_str().unwrap()), as_what, "{takes}");
            assert_eq!(answer.headers["grpc-accept-encoding"], "gzip,zstd,identity");
            let is_packed = is_worth_it && as_what.is_some();
            assert!(replies::<EchoReply>(&answer) == [(is_packed, reply(0, payload))]);
            assert_eq!(answer.body.len() < 5000, is_packed || !is_worth_it);
        }
    }
}

#[tokio::test]
async fn what_does_not_get_smaller_goes_as_it_is() {
    let mut raw = connection().await;
    let mut state = 1_u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    });
    let noise: Vec<_> = noise.take(LARGE).collect();
    for encoding in BOTH {
        let head = post("Echo").header("grpc-accept-encoding", encoding.as_str());
        let answer = raw.call(head, [frame(&ask(noise.clone()))]).await;
        assert!(replies::<EchoReply>(&answer) == [(false, reply(0, noise.clone()))]);
    }
}

#[tokio::test]
async fn each_reply_of_a_stream_is_compressed_by_itself() {
    let scripted = Scripted::new().on_count(|_, _| async {
        let sizes = [LARGE, 10, LARGE, 0, 2000];
        Ok(Streamed::from_iter(
            sizes.map(|size| Ok(reply(0, vec![7; size]))),
        ))
    });
    let mut raw = serving(scripted, &BOTH).await.raw().await;
    for encoding in BOTH {
        let head = post("Count").header("grpc-accept-encoding", encoding.as_str());
        let answer = raw.call(head, [frame(&count(1))]).await;
        let replies = replies::<EchoReply>(&answer);
        let flags: Vec<_> = replies.iter().map(|(is_packed, _)| *is_packed).collect();
        assert_eq!(flags, [true, false, true, false, true]);
        assert!(replies[2].1.payload == [7; LARGE]);
    }
}

#[tokio::test]
async fn a_servicer_can_have_its_reply_sent_as_it_is() {
    let scripted = Scripted::new()
        .on_echo(|ctx, _| async move {
            ctx.response().uncompressed();
            Ok(reply(0, large()))
        })
        .on_count(|ctx, _| async move {
            let replies = stream::iter(0..4).map(move |number| {
                if number == 2 {
                    ctx.response().uncompressed();
                }
                Ok(reply(number, large()))
            });
            Ok(Streamed::new(replies))
        });
    let mut raw = serving(scripted, &BOTH).await.raw().await;
    let head = || post("Echo").header("grpc-accept-encoding", "gzip");
    let answer = raw.call(head(), [frame(&ask(""))]).await;
    assert!(replies::<EchoReply>(&answer) == [(false, reply(0, large()))]);

    let head = post("Count").header("grpc-accept-encoding", "gzip");
    let answer = raw.call(head, [frame(&count(1))]).await;
    let flags = replies::<EchoReply>(&answer)
        .into_iter()
        .map(|reply| reply.0);
    assert_eq!(flags.collect::<Vec<_>>(), [true, true, false, false]);
}

#[tokio::test]
async fn an_unknown_encoding_is_unimplemented_and_told_what_is_known() {
    for (ours, known, said) in [
        (
            &BOTH[..],
            "gzip,zstd,identity",
            "`gzip`, `zstd` and `identity` can",
        ),
        (&[Zstd][..], "zstd,identity", "`zstd` and `identity` can"),
        (&[], "identity", "`identity` can"),
    ] {
        let mut raw = serving(Scripted::new(), ours).await.raw().await;
        for unknown in ["snappy", "GZIP", "gzip,zstd", ""] {
            let head = post("Echo").header("grpc-encoding", unknown);
            let answer = raw.call(head, [frame(&ask("a"))]).await;
            assert_eq!(answer.code(), Code::Unimplemented, "{unknown}");
            assert_eq!(answer.headers["grpc-accept-encoding"], known);
            let expected = format!("messages compressed as `{unknown}` can't be read; {said}");
            assert_eq!(message(&answer).replace("%60", "`"), expected);
        }
        raw.lives().await;
    }
    let mut raw = serving(Scripted::new(), &[Gzip]).await.raw().await;
    let request = [packed_frame(Zstd, &ask("a"))];
    let answer = raw.call(post_as("Echo", Zstd), request).await;
    assert_eq!(answer.code(), Code::Unimplemented);
    let expected = "messages compressed as `zstd` can't be read; `gzip` and `identity` can";
    assert_eq!(message(&answer).replace("%60", "`"), expected);
}

#[tokio::test]
async fn nothing_is_compressed_unless_it_is_set() {
    let mut raw = Running::start(Scripted::new()).await.raw().await;
    let head = post("Echo").header("grpc-accept-encoding", "gzip,zstd");
    let answer = raw.call(head, [frame(&ask(large()))]).await;
    assert!(answer.headers.get("grpc-encoding").is_none());
    assert!(answer.headers.get("grpc-accept-encoding").is_none());
    assert!(replies::<EchoReply>(&answer) == [(false, reply(0, large()))]);
    let answer = raw
        .call(post_as("Echo", Gzip), [packed_frame(Gzip, &ask("a"))])
        .await;
    assert_eq!(answer.code(), Code::Unimplemented);
    assert_eq!(answer.headers["grpc-accept-encoding"], "identity");
}

#[tokio::test]
async fn a_compressed_message_without_an_encoding_is_internal() {
    let mut raw = connection().await;
    for head in [
        post("Echo"),
        post("Echo").header("grpc-encoding", "identity"),
    ] {
        let answer = raw.call(head, [packed_frame(Gzip, &ask("a"))]).await;
        assert_eq!(answer.code(), Code::Internal);
        raw.lives().await;
    }
    // It is the flag that says so, and not what the bytes look like.
    let inside = packed(Gzip, b"a");
    let answer = raw
        .call(post_as("Echo", Gzip), [frame(&ask(inside.clone()))])
        .await;
    assert!(replies::<EchoReply>(&answer) == [(false, reply(0, inside))]);
}

#[tokio::test]
async fn what_does_not_decompress_is_internal() {
    let mut raw = connection().await;
    for encoding in BOTH {
        let whole = packed(encoding, &large());
        let other = packed(if encoding == Gzip { Zstd } else { Gzip }, b"other");
        for wrong in [
            &whole[..whole.len() / 2],
            &other,
            &[&whole[..], b"more"].concat(),
            b"",
            b"noise",
        ] {
            for method in ["Echo", "Collect"] {
                let answer = raw.call(post_as(method, encoding), [marked(wrong)]).await;
                assert_eq!(answer.code(), Code::Internal, "{encoding}");
                let name = format!("can't be decompressed as `{encoding}`");
                assert!(message(&answer).replace("%60", "`").contains(&name));
                assert_eq!(answer.headers["grpc-accept-encoding"], "gzip,zstd,identity");
            }
            raw.lives().await;
        }
    }
}

#[tokio::test]
async fn the_limit_is_for_what_a_message_is_after_decompression() {
    let server = Running::with(Scripted::new(), |server| {
        server.compression(BOTH).max_message_size(LARGE)
    });
    let mut raw = server.await.raw().await;
    for encoding in BOTH {
        // A tag and three bytes of length.
        for (payload, is_read) in [(LARGE - 4, true), (LARGE - 3, false), (100 * LARGE, false)] {
            let request = packed_frame(encoding, &ask(vec![0; payload]));
            for method in ["Echo", "Collect"] {
                let answer = raw.call(post_as(method, encoding), [request.clone()]).await;
                if is_read {
                    assert_eq!(answer.code(), Code::Ok, "{encoding}, {payload}");
                    continue;
                }
                assert_eq!(
                    answer.code(),
                    Code::ResourceExhausted,
                    "{encoding}, {payload}"
                );
                let expected =
                    "a message is larger than the limit of 100000 bytes after decompression";
                assert_eq!(message(&answer), expected);
            }
        }
        // What is too large as it is sent is not decompressed at all.
        let head = post_as("Echo", encoding);
        let answer = raw.call(head, [frame_of(1, u32::MAX, b"")]).await;
        assert_eq!(answer.code(), Code::ResourceExhausted);
        raw.lives().await;
    }
}
