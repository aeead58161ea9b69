//! Floods: a great many of what costs a peer nothing.

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
use attacks::wire::{self, CONTINUATION, DATA, ENHANCE_YOUR_CALM, HEADERS};
use attacks::{Attacker, survives, survives_with};
use common::{Scripted, ask};
use futures_util::future::join_all;

/// More than any limit of ours.
const MANY: usize = 200_000;

/// Frames that are written at once.
const PIECE: usize = 1000;

/// Floods a server with this frame until it closes the connection.
#[track_caller]
fn is_cut_off(frame: &[u8]) {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let flood = attacker.flood(&frame.repeat(PIECE), MANY / PIECE).await;
        assert!(!flood.is_whole, "{flood:?}");
        assert!(flood.pongs + flood.acks < MANY / 2, "{flood:?}");
    });
}

/// What the server says when it closes a connection that is flooded so.
#[track_caller]
fn is_told_to_calm_down(start: &[u8], frame: &[u8]) {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        attacker.send(start).await.unwrap();
        let flood = attacker.flood(&frame.repeat(PIECE), MANY / PIECE).await;
        assert!(!flood.is_whole, "{flood:?}");
        // What the server doesn't read any more has TCP throw away what it said last.
        let goaway = flood.goaway.unwrap_or(ENHANCE_YOUR_CALM);
        assert_eq!(goaway, ENHANCE_YOUR_CALM);
    });
}

#[test]
fn a_flood_of_pings_is_cut_off() {
    is_cut_off(&wire::ping());
}

#[test]
fn a_flood_of_answers_to_pings_that_nobody_sent_is_cut_off() {
    is_cut_off(&wire::frame(wire::PING, wire::ACK, 0, b"no ping."));
}

#[test]
fn a_flood_of_settings_is_cut_off() {
    is_cut_off(&wire::settings(&[]));
    is_cut_off(&wire::settings(&[(wire::INITIAL_WINDOW_SIZE, 1000)]));
}

#[test]
fn settings_that_change_the_windows_of_many_streams_are_cut_off() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        for number in 0..90 {
            let head = wire::head(2 * number + 1, "Collect");
            attacker.send(&head).await.unwrap();
        }
        arena.runs(90).await;
        let window = |size| wire::settings(&[(wire::INITIAL_WINDOW_SIZE, size)]);
        let piece = [window(1000), window(2000)].concat();
        let flood = attacker.flood(&piece.repeat(PIECE), 100).await;
        assert!(!flood.is_whole, "{flood:?}");
    });
}

#[test]
fn a_flood_of_priorities_is_cut_off() {
    is_cut_off(&wire::frame(wire::PRIORITY, 0, 1, &[0, 0, 0, 0, 16]));
}

#[test]
fn a_flood_of_resets_of_one_call_is_cut_off() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        attacker.lives(1).await;
        let flood = attacker
            .flood(&wire::reset(1).repeat(PIECE), MANY / PIECE)
            .await;
        assert!(!flood.is_whole, "{flood:?}");
    });
}

#[test]
fn a_flood_of_farewells_is_cut_off() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        // With a call that runs, or the first farewell would end the connection.
        attacker.send(&wire::head(1, "Collect")).await.unwrap();
        arena.runs(1).await;
        let farewell = wire::frame(wire::GOAWAY, 0, 0, &[0; 8]);
        let flood = attacker.flood(&farewell.repeat(PIECE), MANY / PIECE).await;
        assert!(!flood.is_whole, "{flood:?}");
    });
}

#[test]
fn a_flood_of_unknown_frames_is_cut_off() {
    is_cut_off(&wire::frame(wire::UNKNOWN, 0xff, 0, &[]));
    is_cut_off(&wire::frame(wire::UNKNOWN, 0, 1, b"anything"));
}

#[test]
fn a_flood_from_many_connections_leaves_others_their_turn() {
    survives(async |arena| {
        let attackers = (0..30).map(|_| Attacker::connect(arena.addr));
        let mut attackers = join_all(attackers).await;
        let piece = wire::ping().repeat(PIECE);
        let floods = attackers
            .iter_mut()
            .map(|attacker| attacker.flood(&piece, 200));
        for flood in join_all(floods).await {
            assert!(!flood.is_whole, "{flood:?}");
        }
    });
}

#[test]
fn a_peer_that_pings_for_each_message_is_no_flood() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        attacker.send(&wire::head(1, "Chat")).await.unwrap();
        let message = wire::grpc(&ask("ping").encode_to_vec());
        let piece = [
            wire::data(1, false, &message),
            wire::ping(),
            wire::window_update(0, 100),
            wire::window_update(1, 100),
        ];
        let flood = attacker.flood(&piece.concat(), 30_000).await;
        assert!(flood.is_whole, "{flood:?}");
        assert_eq!(flood.pongs, 30_000);
    });
}

#[test]
fn windows_may_be_updated_as_often_as_one_likes() {
    // An honest peer may do so for each DATA frame, and it costs us nothing but reading it.
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let piece = wire::window_update(0, 1).repeat(PIECE);
        let flood = attacker.flood(&piece, 500).await;
        assert!(flood.is_whole, "{flood:?}");
        attacker.lives(1).await;
    });
}

#[test]
fn a_header_block_without_an_end_is_cut_off() {
    let empty = wire::frame(CONTINUATION, 0, 1, &[]);
    is_told_to_calm_down(&wire::frame(HEADERS, 0, 1, &[0x83]), &empty);
    let field = wire::frame(CONTINUATION, 0, 1, &wire::literal(b"name", &[b'a'; 1000]));
    is_told_to_calm_down(
        &wire::frame(HEADERS, 0, 1, &wire::fields("Echo", &[])),
        &field,
    );
}

#[test]
fn a_flood_of_empty_data_is_cut_off() {
    is_told_to_calm_down(&wire::head(1, "Collect"), &wire::data(1, false, &[]));
    // With padding: more on the wire, and as little in it.
    let padded = wire::frame(DATA, wire::PADDED, 1, &[3, 0, 0, 0]);
    is_told_to_calm_down(&wire::head(1, "Collect"), &padded);
}

#[test]
fn a_flood_of_single_bytes_that_nobody_reads_is_cut_off() {
    let hangs = || {
        Scripted::new().on_collect(|_, requests| async move {
            let _held = requests;
            std::future::pending().await
        })
    };
    survives_with(
        |server| server,
        hangs,
        async |arena| {
            let mut attacker = Attacker::connect(arena.addr).await;
            attacker.send(&wire::head(1, "Collect")).await.unwrap();
            let piece = wire::data(1, false, &[0]).repeat(PIECE);
            let flood = attacker.flood(&piece, 300).await;
            assert!(!flood.is_whole, "{flood:?}");
        },
    );
}

#[test]
fn single_bytes_that_are_read_are_a_message() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        attacker.send(&wire::head(1, "Echo")).await.unwrap();
        let message = wire::grpc(&ask([7; 20_000]).encode_to_vec());
        let flood =
            attacker.flood_each(message.len(), |at| wire::data(1, false, &message[at..=at]));
        let flood = flood.await;
        assert!(flood.is_whole, "{flood:?}");
        attacker.send(&wire::data(1, true, &[])).await.unwrap();
        assert!(attacker.answer(1).await.len() > 20_000);
        attacker.lives(3).await;
    });
}

#[test]
fn a_bomb_of_headers_is_cut_off() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        // One field fills the table, and each further byte is that field.
        let mut block = wire::fields("Echo", &[]);
        block.extend(wire::indexed_literal(b"bomb", &[b'a'; 4000]));
        let first = wire::frame(HEADERS, 0, 1, &block);
        let rest = wire::frame(CONTINUATION, wire::END_HEADERS, 1, &[0xbe; 16_000]);
        attacker.send(&[first, rest].concat()).await.unwrap();
        let goaway = attacker.cut_off().await;
        assert_eq!(goaway, Some(ENHANCE_YOUR_CALM));
    });
}

#[test]
fn headers_over_the_limit_are_refused_one_call_at_a_time() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let large = [b'a'; 12_000];
        for number in 0..50 {
            let stream = 2 * number + 1;
            let head = wire::fields("Echo", &[(b"one", &large), (b"two", &large)]);
            let (first, rest) = head.split_at(16_000);
            let first = wire::frame(HEADERS, wire::END_STREAM, stream, first);
            let rest = wire::frame(CONTINUATION, wire::END_HEADERS, stream, rest);
            attacker.send(&[first, rest].concat()).await.unwrap();
        }
        attacker.lives(2 * 50 + 1).await;
    });
}
