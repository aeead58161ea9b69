//! Streams that are reset: by the peer at once, or by us because the peer makes us.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod attacks;
mod common;

use attacks::wire::{self, ENHANCE_YOUR_CALM, PROTOCOL_ERROR};
use attacks::{Attacker, survives};

/// More than any limit of ours.
const MANY: usize = 20_000;

/// The stream of the attack's call with this number.
fn stream(number: usize) -> u32 {
    u32::try_from(2 * number + 1).unwrap()
}

/// Makes calls for ever that the server has to reset itself (`MadeYouReset`, CVE-2025-8671); it ends the
/// connection with this code, sooner or later.
#[track_caller]
fn forced_resets_are_cut_off(code: u32, fault: impl Fn(u32) -> Vec<u8>) {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let call = |number| {
            let stream = stream(number);
            [wire::head(stream, "Collect"), fault(stream)].concat()
        };
        let flood = attacker.flood_each(MANY, call).await;
        assert!(!flood.is_whole, "{flood:?}");
        assert!(flood.resets <= 1024, "{flood:?}");
        // What the server doesn't read any more has TCP throw away what it said last.
        assert_eq!(flood.goaway.unwrap_or(code), code);
    });
}

#[test]
fn calls_that_are_reset_one_by_one_are_given_back() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let call = |number| {
            let stream = stream(number);
            [wire::head(stream, "Collect"), wire::reset(stream)].concat()
        };
        let flood = attacker.flood_each(MANY, call).await;
        // Whether it is cut off depends on whether the server has seen the calls before they are reset.
        if flood.is_whole {
            attacker.lives(stream(MANY)).await;
        }
    });
}

#[test]
fn many_calls_that_are_reset_at_once_are_given_back() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        // Each piece is read at once.
        let call = |piece| {
            let calls = (0..500).map(|number| {
                let stream = stream(500 * piece + number);
                [wire::head(stream, "Collect"), wire::reset(stream)].concat()
            });
            calls.collect::<Vec<_>>().concat()
        };
        let flood = attacker.flood_each(MANY / 500, call).await;
        if let Some(goaway) = flood.goaway {
            assert_eq!(goaway, ENHANCE_YOUR_CALM);
        }
    });
}

#[test]
fn calls_with_fields_that_http_2_forbids_are_cut_off() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let call = |number| wire::head_with(stream(number), "Echo", &[(b"connection", b"close")]);
        let flood = attacker.flood_each(MANY, call).await;
        assert!(!flood.is_whole, "{flood:?}");
        assert!(flood.resets <= 1024, "{flood:?}");
    });
}

#[test]
fn calls_that_run_and_are_then_reset_are_given_back() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        for round in 0..20 {
            let streams = (0..90).map(|number| stream(90 * round + number));
            let streams: Vec<_> = streams.collect();
            let heads: Vec<_> = streams
                .iter()
                .map(|id| wire::head(*id, "Collect"))
                .collect();
            attacker.send(&heads.concat()).await.unwrap();
            arena.runs(90).await;
            let resets: Vec<_> = streams.iter().map(|id| wire::reset(*id)).collect();
            attacker.send(&resets.concat()).await.unwrap();
            arena.runs(0).await;
        }
        attacker.lives(stream(90 * 20)).await;
    });
}

#[test]
fn windows_updated_by_nothing_are_cut_off() {
    forced_resets_are_cut_off(PROTOCOL_ERROR, |stream| wire::window_update(stream, 0));
}

#[test]
fn windows_that_overflow_are_cut_off() {
    forced_resets_are_cut_off(ENHANCE_YOUR_CALM, |stream| {
        wire::window_update(stream, 0x7fff_ffff)
    });
}

#[test]
fn data_after_the_end_is_cut_off() {
    forced_resets_are_cut_off(PROTOCOL_ERROR, |stream| {
        [
            wire::data(stream, true, b""),
            wire::data(stream, false, b"more"),
        ]
        .concat()
    });
}

#[test]
fn priorities_of_streams_upon_themselves_are_cut_off() {
    forced_resets_are_cut_off(ENHANCE_YOUR_CALM, |stream| {
        let upon_itself = [&stream.to_be_bytes()[..], &[16]].concat();
        wire::frame(wire::PRIORITY, 0, stream, &upon_itself)
    });
}
