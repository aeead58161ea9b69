//! Any messages, compressed or not, cut anywhere, come back as they were.
//!
//! A failure prints the case, shrunk, and the seed that repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;
mod packing;

use std::sync::LazyLock;

use apibase::{Code, Compression};
use bytes::Bytes;
use common::{EchoReply, RawClient, Running, Scripted, ask, frame, post, reply};
use packing::{packed_frame, replies};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// A server, and a connection to it that all cases share.
static WORLD: LazyLock<(Runtime, Mutex<RawClient>)> = LazyLock::new(|| {
    let runtime = Runtime::new().unwrap();
    let raw = runtime.block_on(async {
        let both = [Compression::Gzip, Compression::Zstd];
        let server = Running::with(Scripted::new(), |server| server.compression(both));
        server.await.raw().await
    });
    (runtime, Mutex::new(raw))
});

/// A payload, and whether it is sent compressed: of bytes that repeat or don't, around the sizes where
/// something changes.
fn payload() -> impl Strategy<Value = (Vec<u8>, bool)> {
    let size = prop_oneof![
        2 => 0..8_usize,
        4 => 8..2000_usize,
        2 => 1000..1050_usize,
        1 => 16_000..80_000_usize,
    ];
    let variety = select(vec![1_u64, 3, 256]);
    (size, variety, any::<u64>(), any::<bool>()).prop_map(|(size, variety, seed, is_packed)| {
        let mut state = seed;
        let bytes = std::iter::repeat_with(move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % variety).to_le_bytes()[0]
        });
        (bytes.take(size).collect(), is_packed)
    })
}

fn encoding() -> impl Strategy<Value = Option<Compression>> {
    select(vec![None, Some(Compression::Gzip), Some(Compression::Zstd)])
}

/// `all` cut at these places. Of empty DATA frames a connection takes a hundred in its life.
fn cut(all: &Bytes, cuts: &[Index]) -> Vec<Bytes> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(all.len() + 1)).collect();
    cuts.extend([0, all.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|cut| all.slice(cut[0]..cut[1]))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(256)
    })]

    #[test]
    fn any_messages_survive_any_encoding_and_any_chunking(
        payloads in vec(payload(), 0..8),
        sent in encoding(),
        taken in encoding(),
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let frames = payloads.iter().flat_map(|(payload, is_packed)| {
            let request = ask(payload.clone());
            match sent {
                Some(encoding) if *is_packed => packed_frame(encoding, &request),
                _ => frame(&request),
            }
        });
        let all = Bytes::from(frames.collect::<Vec<_>>());
        let mut head = post("Chat");
        if let Some(encoding) = sent {
            head = head.header("grpc-encoding", encoding.as_str());
        }
        if let Some(encoding) = taken {
            head = head.header("grpc-accept-encoding", encoding.as_str());
        }
        let (runtime, raw) = &*WORLD;
        let answer = runtime.block_on(async {
            raw.lock().await.call(head, cut(&all, &cuts)).await
        });
        prop_assert_eq!(answer.code(), Code::Ok);
        let replies = replies::<EchoReply>(&answer);
        prop_assert_eq!(replies.len(), payloads.len());
        for (number, ((is_packed, got), (payload, _))) in replies.iter().zip(&payloads).enumerate() {
            prop_assert!(*got == reply(number as u64, payload.clone()), "message {number}");
            prop_assert!(!is_packed || (taken.is_some() && payload.len() > 1000));
        }
    }
}
