//! What a call costs before it is polled: its future is moved several times on its way into a task.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use apibase::Context;
use common::{EchoServiceClient, ask, count};
use futures_util::stream;

/// In bytes. They were 17 KB when each wrapper had room for what it wraps, and moving them was a seventh
/// of all instructions of a call.
const MOST: usize = 4_608;

#[tokio::test]
async fn the_futures_of_calls_are_small() {
    let client = EchoServiceClient::connect_lazy("http://127.0.0.1:1").unwrap();
    let ctx = Context::background();
    let requests = || stream::iter([ask("")]);
    for (call, size) in [
        ("unary", size_of_val(&client.echo(&ctx, ask("")))),
        ("server stream", size_of_val(&client.count(&ctx, count(1)))),
        (
            "client stream",
            size_of_val(&client.collect(&ctx, requests())),
        ),
        ("bidi", size_of_val(&client.chat(&ctx, requests()))),
    ] {
        assert!(size <= MOST, "{call}: {size} bytes");
    }
}
