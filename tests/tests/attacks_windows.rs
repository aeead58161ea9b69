//! Peers that take nothing of what they are sent: by windows that stay closed, and by sockets that
//! nobody reads.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
#![cfg(target_os = "linux")]

mod attacks;
mod common;

use std::time::Duration;

use apibase::Server;
use apibase::prost::Message as _;
use attacks::wire::{self, INITIAL_WINDOW_SIZE};
use attacks::{Attacker, survives_with};
use common::{Scripted, ask, count, reply};
use futures_util::stream;

/// Passes soon, and is longer than an honest peer takes on a busy machine.
const SHORT: Duration = Duration::from_millis(500);

/// A deadline of a call.
const TIMEOUT: (&[u8], &[u8]) = (b"grpc-timeout", b"500m");

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

/// A request for replies without end.
fn for_ever(stream: u32) -> Vec<u8> {
    wire::call(stream, "Count", &count(u64::MAX).encode_to_vec())
}

/// The same with a deadline.
fn for_a_while(stream: u32, method: &str, message: &[u8]) -> Vec<u8> {
    let mut call = wire::head_with(stream, method, &[TIMEOUT]);
    call.extend(wire::data(stream, true, &wire::grpc(message)));
    call
}

#[test]
fn who_opens_no_window_holds_its_calls_until_their_deadline() {
    survives_with(
        |server| server,
        endless,
        async |arena| {
            let mut attacker =
                Attacker::connect_with(arena.addr, &[(INITIAL_WINDOW_SIZE, 0)]).await;
            for number in 0..20 {
                let request = count(1).encode_to_vec();
                attacker
                    .send(&for_a_while(4 * number + 1, "Count", &request))
                    .await
                    .unwrap();
                let request = ask("unary").encode_to_vec();
                attacker
                    .send(&for_a_while(4 * number + 3, "Echo", &request))
                    .await
                    .unwrap();
            }
            arena.runs(40).await;
            arena.runs(0).await;
        },
    );
}

#[test]
fn who_opens_no_window_and_has_no_deadline_is_held_to_that_of_the_server() {
    let capped = |server: Server| server.deadline_cap(SHORT);
    survives_with(capped, endless, async |arena| {
        let mut attacker = Attacker::connect_with(arena.addr, &[(INITIAL_WINDOW_SIZE, 0)]).await;
        let echo = wire::call(3, "Echo", &ask("unary").encode_to_vec());
        attacker.send(&[for_ever(1), echo].concat()).await.unwrap();
        arena.runs(2).await;
        arena.runs(0).await;
    });
}

#[test]
fn who_opens_no_window_and_has_no_deadline_costs_little_and_gives_it_back() {
    survives_with(
        |server| server,
        endless,
        async |arena| {
            let mut attacker =
                Attacker::connect_with(arena.addr, &[(INITIAL_WINDOW_SIZE, 0)]).await;
            for number in 0..90 {
                attacker.send(&for_ever(2 * number + 1)).await.unwrap();
            }
            arena.runs(90).await;
            tokio::time::sleep(SHORT).await;
            assert_eq!(arena.calls(), 90);
            drop(attacker);
            arena.runs(0).await;
        },
    );
}

#[test]
fn who_opens_its_windows_and_reads_nothing_is_cut_off() {
    survives_with(mindful, endless, async |arena| {
        let wide = [(INITIAL_WINDOW_SIZE, 0x7fff_ffff)];
        let mut attacker = Attacker::connect_with(arena.addr, &wide).await;
        attacker
            .send(&wire::window_update(0, 0x7fff_0000))
            .await
            .unwrap();
        for number in 0..20 {
            attacker.send(&for_ever(2 * number + 1)).await.unwrap();
        }
        arena.runs(20).await;
        arena.runs(0).await;
        attacker.is_closed().await;
    });
}

#[test]
fn who_reads_no_answers_to_its_pings_is_cut_off() {
    survives_with(mindful, Scripted::new, async |arena| {
        let mut attacker = Attacker::connect(arena.addr).await;
        // Calls keep the flood within its limits, and the replies wait for the window.
        let call = wire::call(1, "Echo", &ask([7; 8192]).encode_to_vec());
        attacker.send(&call).await.unwrap();
        attacker.flood_unread(&wire::ping().repeat(100), 1000).await;
        attacker.is_closed().await;
    });
}
