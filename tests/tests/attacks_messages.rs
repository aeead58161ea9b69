//! Calls whose messages and metadata are wrong, or say that they are very large.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod attacks;
mod common;

use apibase::prost::Message as _;
use apibase::{DomainError, TypedMetadata as _};
use attacks::wire::{self, HEADERS};
use attacks::{Attacker, survives, survives_with};
use common::{EchoReply, EchoRequest, Scripted};

#[test]
fn what_is_refused_at_length_is_answered_briefly() {
    // Each byte of these takes three in a `grpc-message`.
    let long = "\u{e9}".repeat(3500);
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let calls = [
            wire::head(1, &long),
            wire::head_with(3, "Echo", &[(b"grpc-encoding", long.as_bytes())]),
            wire::head_with(5, "Echo", &[(b"grpc-timeout", long.as_bytes())]),
        ];
        for (number, call) in (0..).zip(calls) {
            attacker.send(&call).await.unwrap();
            let answer = loop {
                let frame = attacker.frame().await.unwrap();
                if frame.kind == HEADERS && frame.stream == 2 * number + 1 {
                    break frame;
                }
            };
            assert!(answer.payload.len() < 8192, "{}", answer.payload.len());
        }
        attacker.lives(101).await;
    });
}

#[test]
fn lengths_of_gibibytes_are_refused_before_anything_is_kept_for_them() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let lengths = [0x7fff_ffff_u32, 0x8000_0000, 0x8000_0001, u32::MAX];
        for (number, length) in (0..).zip(lengths) {
            for (half, method) in (0..).zip(["Echo", "Collect", "Chat", "Count"]) {
                let stream = 8 * number + 2 * half + 1;
                let start = [&[0][..], &length.to_be_bytes(), &[7; 100]].concat();
                let call = [
                    wire::head(stream, method),
                    wire::data(stream, false, &start),
                ];
                attacker.send(&call.concat()).await.unwrap();
                assert!(attacker.answer(stream).await.is_empty(), "{method}");
            }
        }
        attacker.lives(101).await;
    });
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let texts = [
            &[0xff][..],
            &[0xc0, 0x80],
            &[0xed, 0xa0, 0x80],
            &[0xf0, 0x9f],
            &[b'a', 0x80],
        ];
        for (number, text) in (0..).zip(texts) {
            // The second field of a request is text.
            let length = u8::try_from(text.len()).unwrap();
            let message = [&[0x12, length][..], text].concat();
            assert!(EchoRequest::decode(&message[..]).is_err());
            let stream = 4 * number + 1;
            attacker
                .send(&wire::call(stream, "Echo", &message))
                .await
                .unwrap();
            assert!(attacker.answer(stream).await.is_empty());
            attacker.lives(stream + 2).await;
        }
    });
}

#[test]
fn metadata_that_is_junk_is_the_servicers_to_refuse() {
    let typed = || {
        Scripted::new().on_ping(|ctx, ()| async move {
            let metadata = ctx.metadata();
            for key in ["x-junk-bin", "x-absent-bin", "x-text"] {
                let message = metadata.message::<EchoReply>(key);
                let number = metadata.text::<u64>(key);
                if let (Err(error), _) | (_, Err(error)) = (&message, &number) {
                    return Err(DomainError::validation(error.to_string()));
                }
            }
            Ok(())
        })
    };
    let junk = [
        &b""[..],
        b"!",
        b"!!!!",
        b"====",
        b"A",
        b"A===",
        b"AAAA=",
        b"\xff\xfe",
        b"CgE",
        b"-_-_",
        b"AAAA,BBBB",
        b" AAAA ",
        &[b'A'; 3001],
    ];
    survives_with(
        |server| server,
        typed,
        async |arena| {
            let mut attacker = Attacker::connect(arena.addr).await;
            for (number, junk) in (0..).zip(junk) {
                let fields: [(&[u8], &[u8]); 5] = [
                    (b"x-junk-bin", junk),
                    (b"x-junk-bin", b"AAAA"),
                    (b"grpc-trace-bin", junk),
                    (b"x-correlation-id", junk),
                    (b"traceparent", junk),
                ];
                for (half, method) in (0..).zip(["Echo", "Ping"]) {
                    let stream = 4 * number + 2 * half + 1;
                    let head = wire::head_with(stream, method, &fields);
                    let call = [head, wire::data(stream, true, &wire::grpc(b""))];
                    attacker.send(&call.concat()).await.unwrap();
                    attacker.answer(stream).await;
                }
            }
            attacker.lives(1001).await;
        },
    );
}
