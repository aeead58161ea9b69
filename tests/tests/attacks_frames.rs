//! Frames, fields and messages that are wrong.

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
use attacks::wire::{
    self, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PADDED, PING, PRIORITY,
    PUSH_PROMISE, RST_STREAM, SETTINGS, UNKNOWN, WINDOW_UPDATE, WITH_PRIORITY, frame, frame_of,
};
use attacks::{Attacker, survives};
use common::{ask, reply};
use proptest::prelude::*;
use proptest::sample::select;

/// Each of these ends the connection (RFC 9113, section 5.4.1), and no other.
fn fatal() -> Vec<(&'static str, Vec<u8>)> {
    let fields = wire::fields("Echo", &[]);
    let settings = |id, value| wire::settings(&[(id, value)]);
    let block = |block: &[u8]| frame(HEADERS, END_HEADERS | END_STREAM, 1, block);
    vec![
        ("DATA of no stream", wire::data(0, false, b"data")),
        ("DATA of an idle stream", wire::data(5, false, b"data")),
        ("DATA that is too long", frame(DATA, 0, 1, &[0; 16_385])),
        (
            "DATA with more padding than it has",
            [wire::head(1, "Echo"), frame(DATA, PADDED, 1, &[9, 0])].concat(),
        ),
        (
            "HEADERS of no stream",
            frame(HEADERS, END_HEADERS, 0, &fields),
        ),
        (
            "HEADERS of a server's stream",
            frame(HEADERS, END_HEADERS, 2, &fields),
        ),
        (
            "HEADERS of an earlier stream",
            [wire::call(7, "Ping", b""), wire::call(3, "Ping", b"")].concat(),
        ),
        (
            "HEADERS that are too long",
            frame(HEADERS, END_HEADERS, 1, &[0; 16_385]),
        ),
        (
            "HEADERS with more padding than they have",
            frame(HEADERS, END_HEADERS | PADDED, 1, &[200, 0x83]),
        ),
        (
            "HEADERS with half a priority",
            frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, &[0, 0]),
        ),
        ("PRIORITY of no stream", frame(PRIORITY, 0, 0, &[0; 5])),
        ("PRIORITY that is too short", frame(PRIORITY, 0, 1, &[0; 4])),
        ("RST_STREAM of no stream", frame(RST_STREAM, 0, 0, &[0; 4])),
        ("RST_STREAM of an idle stream", wire::reset(5)),
        (
            "RST_STREAM that is too short",
            frame(RST_STREAM, 0, 1, &[0; 3]),
        ),
        ("SETTINGS of a stream", frame(SETTINGS, 0, 1, &[])),
        ("SETTINGS with half a value", frame(SETTINGS, 0, 0, &[0; 5])),
        (
            "SETTINGS acknowledged with a value",
            frame(SETTINGS, wire::ACK, 0, &[0; 6]),
        ),
        (
            "SETTINGS acknowledged that weren't sent",
            wire::settings_ack(),
        ),
        (
            "a window that is too large",
            settings(wire::INITIAL_WINDOW_SIZE, 0x8000_0000),
        ),
        (
            "frames that may be too short",
            settings(wire::MAX_FRAME_SIZE, 16_383),
        ),
        (
            "frames that may be too long",
            settings(wire::MAX_FRAME_SIZE, 0x0100_0000),
        ),
        (
            "push that is neither on nor off",
            settings(wire::ENABLE_PUSH, 2),
        ),
        (
            "PUSH_PROMISE",
            frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x83]),
        ),
        ("PING of a stream", frame(PING, 0, 1, &[0; 8])),
        ("PING that is too short", frame(PING, 0, 0, &[0; 7])),
        ("PING that is too long", frame(PING, 0, 0, &[0; 9])),
        ("GOAWAY of a stream", frame(GOAWAY, 0, 1, &[0; 8])),
        ("GOAWAY that is too short", frame(GOAWAY, 0, 0, &[0; 7])),
        (
            "WINDOW_UPDATE that is too short",
            frame(WINDOW_UPDATE, 0, 0, &[0; 3]),
        ),
        ("WINDOW_UPDATE by nothing", wire::window_update(0, 0)),
        ("WINDOW_UPDATE of an idle stream", wire::window_update(5, 1)),
        (
            "WINDOW_UPDATE that overflows",
            wire::window_update(0, 0x7fff_ffff),
        ),
        (
            "CONTINUATION of nothing",
            frame(CONTINUATION, END_HEADERS, 1, &fields),
        ),
        (
            "CONTINUATION of another stream",
            [
                frame(HEADERS, 0, 1, &fields),
                frame(CONTINUATION, END_HEADERS, 3, &[]),
            ]
            .concat(),
        ),
        (
            "DATA amid a header block",
            [frame(HEADERS, 0, 1, &fields), wire::data(1, true, b"")].concat(),
        ),
        (
            "an unknown frame amid a header block",
            [frame(HEADERS, 0, 1, &fields), frame(UNKNOWN, 0, 1, b"")].concat(),
        ),
        (
            "an unknown frame that is too long",
            frame_of(0x00ff_ffff, UNKNOWN, 0, 0, &[0; 100]),
        ),
        ("a field of no index", block(&[0x80])),
        ("a field of an index that isn't there", block(&[0xfe])),
        ("an index without an end", block(&[0xff; 20])),
        (
            "a table that is larger than it may be",
            block(&[0x3f, 0xe1, 0xff, 0x03]),
        ),
        ("half a field", block(&[0x00, 0x05, b'n', b'a'])),
        (
            "a string that is longer than its frame",
            block(&[0x00, 0x7f, 0xff, 0xff, 0xff, 0x07]),
        ),
        (
            "Huffman's code of nothing",
            block(&[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]),
        ),
    ]
}

#[test]
fn a_frame_that_is_wrong_ends_its_connection_and_no_other() {
    survives(async |arena| {
        for (what, frames) in fatal() {
            let mut attacker = Attacker::connect(arena.addr).await;
            attacker.send(&frames).await.unwrap();
            let goaway = attacker.cut_off().await;
            assert!(goaway.is_none_or(|code| code != 0), "{what}: {goaway:?}");
        }
    });
}

#[test]
fn fields_that_are_wrong_end_their_call_and_no_other() {
    let head = |fields: &[(&[u8], &[u8])]| {
        let fields = fields
            .iter()
            .flat_map(|(name, value)| wire::literal(name, value));
        fields.collect::<Vec<_>>()
    };
    let blocks = [
        head(&[]),
        head(&[(b":method", b"CONNECT"), (b":authority", b"a")]),
        head(&[
            (b":method", b"CONNECT"),
            (b":authority", b"a"),
            (b"content-length", b"9"),
        ]),
        head(&[
            (b":method", b"OPTIONS"),
            (b":scheme", b"http"),
            (b":path", b"*"),
        ]),
        head(&[(b":method", b"POST"), (b":scheme", b"http")]),
        head(&[
            (b":method", b"POST"),
            (b":path", b"/"),
            (b":scheme", b"http"),
            (b":status", b"200"),
        ]),
        [wire::fields("Echo", &[]), head(&[(b":path", b"/")])].concat(),
        [wire::fields("Echo", &[]), head(&[(b":unknown", b"a")])].concat(),
        wire::fields("Echo", &[(b"Upper", b"case")]),
        wire::fields("Echo", &[(b"", b"nameless")]),
        wire::fields("Echo", &[(b"with space", b"a")]),
        wire::fields("Echo", &[(b"value", b"a\r\nb: c")]),
        wire::fields("Echo", &[(b"value", b"a\0")]),
        wire::fields("Echo", &[(b"connection", b"close")]),
        wire::fields("Echo", &[(b"transfer-encoding", b"chunked")]),
        wire::fields("Echo", &[(b"te", b"gzip")]),
        wire::fields("Echo", &[(b"content-length", b"1")]),
        wire::fields("Echo", &[(b"content-length", b"many")]),
        wire::fields("Echo", &[(b"content-length", b"99999999999999999999")]),
    ];
    survives(async |arena| {
        for (number, block) in blocks.iter().enumerate() {
            let mut attacker = Attacker::connect(arena.addr).await;
            let call = [
                frame(HEADERS, END_HEADERS, 1, block),
                wire::data(1, true, &wire::grpc(b"")),
            ];
            attacker.send(&call.concat()).await.unwrap();
            // What h2 takes for an attack on its tables ends the connection; all else is the call's.
            let is_cut = tokio::time::timeout(std::time::Duration::from_secs(10), async {
                attacker.ends(1).await;
            });
            assert!(is_cut.await.is_ok(), "{number}: nothing came of it");
        }
    });
}

#[test]
fn what_is_odd_and_allowed_is_answered() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        for odd in [
            frame(UNKNOWN, 0xff, 99, b"anything"),
            frame(PRIORITY, 0, 99, &[0, 0, 0, 1, 16]),
            wire::settings(&[(0xffff, 7), (wire::HEADER_TABLE_SIZE, u32::MAX)]),
            frame(PING, wire::ACK, 0, b"no ping."),
        ] {
            attacker.send(&odd).await.unwrap();
        }
        attacker.lives(1).await;
        // With padding and a priority, and one byte a frame.
        let head = [&[3, 0, 0, 0, 0, 7][..], &wire::fields("Echo", &[]), &[0; 3]].concat();
        let flags = END_HEADERS | PADDED | WITH_PRIORITY;
        attacker
            .send(&frame(HEADERS, flags, 3, &head))
            .await
            .unwrap();
        let message = wire::grpc(&ask("alive").encode_to_vec());
        for byte in &message {
            let padded = [&[4, *byte][..], &[0; 4]].concat();
            attacker
                .send(&frame(DATA, PADDED, 3, &padded))
                .await
                .unwrap();
        }
        attacker.send(&wire::data(3, true, b"")).await.unwrap();
        let expected = wire::grpc(&reply(0, "alive").encode_to_vec());
        assert_eq!(attacker.answer(3).await, expected);
    });
}

/// Any frame: mostly one that is nearly right.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = select(vec![0_u32, 1, 1, 3, 3, 5, 2, 0x7fff_ffff, u32::MAX]);
    let bytes = proptest::collection::vec(any::<u8>(), 0..64);
    prop_oneof![
        stream.clone().prop_map(|id| wire::head(id, "Chat")),
        (stream.clone(), any::<bool>(), bytes.clone())
            .prop_map(|(id, end, message)| { wire::data(id, end, &wire::grpc(&message)) }),
        (0..12_u8, any::<u8>(), stream.clone(), bytes.clone())
            .prop_map(|(kind, flags, id, payload)| frame(kind, flags, id, &payload)),
        (0..200_usize, 0..12_u8, stream, bytes.clone())
            .prop_map(|(length, kind, id, payload)| frame_of(length, kind, 4, id, &payload)),
        bytes,
    ]
}

#[test]
fn any_frames_at_all_are_survived() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    survives(async |arena| {
        let mut runner = TestRunner::default();
        let frames = proptest::collection::vec(any_frame(), 1..20);
        for _ in 0..256 {
            let frames = frames.new_tree(&mut runner).unwrap().current().concat();
            let mut attacker = Attacker::connect(arena.addr).await;
            // It may be closed before all is written.
            let _ = attacker.send(&frames).await;
            let ping = tokio::time::timeout(std::time::Duration::from_millis(5), attacker.frame());
            let _ = ping.await;
        }
    });
}
