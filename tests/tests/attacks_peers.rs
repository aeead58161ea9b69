//! Peers that are slow, that stall, and that vanish.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod attacks;
mod common;

use std::time::Duration;

use apibase::Server;
use apibase::prost::Message as _;
use attacks::wire;
use attacks::{Arena, Attacker, survives, survives_with};
use common::{Scripted, ask, count, reply};
use futures_util::{StreamExt, stream};
use tokio::io::AsyncWriteExt;

/// Passes soon, and is longer than an honest peer takes on a busy machine.
const SHORT: Duration = Duration::from_millis(500);

/// A peer that doesn't answer is given up soon.
fn mindful(server: Server) -> Server {
    server.keepalive(SHORT, SHORT)
}

/// Its `Count` answers for ever, with replies of 8 KiB; its `Echo` does not answer.
fn endless() -> Scripted {
    Scripted::new().on_count(|_, _| async {
        let replies = stream::repeat_with(|| Ok(reply(0, [7; 8192])));
        Ok(apibase::Streamed::new(replies))
    })
}

/// Its `Collect` and `Ping` never answer.
fn hangs() -> Scripted {
    Scripted::new()
        .on_collect(|_, requests| async move {
            let _held = requests;
            std::future::pending().await
        })
        .on_ping(|_, ()| std::future::pending())
}

/// A request for replies without end.
fn for_ever(stream: u32) -> Vec<u8> {
    wire::call(stream, "Count", &count(u64::MAX).encode_to_vec())
}

#[test]
fn who_falls_silent_in_mid_call_is_given_up() {
    survives_with(mindful, hangs, async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        let ping = wire::call(1, "Ping", &[]);
        attacker
            .send(&[ping, wire::head(3, "Collect")].concat())
            .await
            .unwrap();
        arena.runs(2).await;
        arena.runs(0).await;
        attacker.is_closed().await;
    });
}

#[test]
fn a_frame_that_comes_byte_by_byte_is_not_waited_for() {
    for frame in [
        wire::frame_of(1000, wire::UNKNOWN, 0, 0, &[0; 900]),
        wire::frame_of(1000, wire::HEADERS, 0, 1, &[0x83; 900]),
        [
            wire::frame(wire::HEADERS, 0, 1, &wire::fields("Echo", &[])),
            wire::frame_of(1000, wire::CONTINUATION, 0, 1, &[0x83; 900]),
        ]
        .concat(),
    ] {
        survives_with(mindful, Scripted::new, async |arena| {
            trickles(arena, &frame).await;
        });
    }
}

#[test]
fn a_message_or_its_end_that_comes_byte_by_byte_has_until_the_deadline() {
    let capped = |server: Server| server.deadline_cap(SHORT);
    survives_with(capped, Scripted::new, async |arena| {
        for method in ["Echo", "Collect", "Chat"] {
            let mut attacker = Attacker::connect(arena.addr).await;
            attacker.send(&wire::head(1, method)).await.unwrap();
            arena.runs(1).await;
            let message = wire::grpc(&ask([7; 1000]).encode_to_vec());
            let trickle = async {
                for byte in message {
                    let _ = attacker.send(&wire::data(1, false, &[byte])).await;
                    tokio::time::sleep(SHORT / 20).await;
                }
            };
            // The call ends long before the message does.
            tokio::select! {
                () = trickle => panic!("{method}: it was waited for"),
                () = arena.runs(0) => {}
            }
        }
    });
}

#[test]
fn who_is_killed_in_mid_stream_leaves_nothing() {
    survives_with(
        |server| server,
        endless,
        async |arena| {
            for _ in 0..10 {
                let mut reader = Attacker::connect(arena.addr).await;
                reader.send(&for_ever(1)).await.unwrap();
                let mut writer = Attacker::connect(arena.addr).await;
                let half = &wire::grpc(&ask([7; 1000]).encode_to_vec())[..500];
                let upload = [wire::head(1, "Collect"), wire::data(1, false, half)];
                writer.send(&upload.concat()).await.unwrap();
                let mut half_a_frame = Attacker::connect(arena.addr).await;
                let head = wire::head(1, "Echo");
                half_a_frame.send(&head[..20]).await.unwrap();
                arena.runs(2).await;
                reader.frame().await.unwrap();
                reader.die();
                writer.die();
                half_a_frame.die();
                arena.runs(0).await;
            }
        },
    );
}

#[test]
fn who_says_no_more_in_mid_stream_is_let_go() {
    survives_with(
        |server| server,
        hangs,
        async |arena| {
            let mut attacker = Attacker::connect(arena.addr).await;
            attacker.send(&wire::head(1, "Collect")).await.unwrap();
            arena.runs(1).await;
            attacker.stream().shutdown().await.unwrap();
            arena.runs(0).await;
        },
    );
}

#[test]
fn a_farewell_in_mid_stream_lets_the_calls_end() {
    survives(async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        attacker.send(&wire::head(1, "Collect")).await.unwrap();
        arena.runs(1).await;
        let farewell = wire::frame(wire::GOAWAY, 0, 0, &[0; 8]);
        let message = wire::grpc(&ask("last").encode_to_vec());
        let rest = [farewell, wire::data(1, true, &message)].concat();
        attacker.send(&rest).await.unwrap();
        assert!(!attacker.answer(1).await.is_empty());
        attacker.cut_off().await;
    });
}

#[test]
fn who_comes_and_goes_leaves_nothing() {
    survives(async |arena| {
        for round in 0..200 {
            let mut attacker = Attacker::silent(arena.addr).await;
            match round % 4 {
                0 => {}
                1 => attacker.send(&wire::PREFACE[..12]).await.unwrap(),
                2 => attacker.send(wire::PREFACE).await.unwrap(),
                _ => {
                    let call = wire::call(1, "Echo", &ask("gone").encode_to_vec());
                    let start = [wire::PREFACE, &wire::settings(&[]), &call].concat();
                    attacker.send(&start).await.unwrap();
                }
            }
            if round % 8 < 4 {
                attacker.die();
            }
        }
    });
}

#[test]
fn a_servicer_that_panics_harms_nobody() {
    // What a backtrace takes is not the server's.
    std::panic::set_hook(Box::new(|_| {}));
    let panics = || {
        Scripted::new()
            .on_ping(|_, ()| async { panic!("on purpose") })
            .on_count(|_, _| async {
                let first = stream::iter([Ok(reply(0, "first"))]);
                let then = stream::once(async { panic!("on purpose") });
                Ok(apibase::Streamed::new(first.chain(then)))
            })
    };
    survives_with(
        |server| server,
        panics,
        async |arena| {
            let mut attacker = Attacker::connect(arena.addr).await;
            for number in 0..100 {
                let stream = 6 * number + 1;
                attacker
                    .send(&wire::call(stream, "Ping", &[]))
                    .await
                    .unwrap();
                assert!(attacker.answer(stream).await.is_empty());
                attacker.send(&for_ever(stream + 2)).await.unwrap();
                let first = wire::grpc(&reply(0, "first").encode_to_vec());
                assert_eq!(attacker.answer(stream + 2).await, first);
                attacker.lives(stream + 4).await;
            }
        },
    );
}

/// Sends this byte by byte, until the server closes the connection.
async fn trickles(arena: &Arena, frame: &[u8]) {
    let mut attacker = Attacker::connect(arena.addr).await;
    for byte in frame {
        if attacker.send(&[*byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(SHORT / 20).await;
    }
    panic!("it was waited for");
}
