//! A servicer that does as it is asked, and knows how many calls it works on.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use apibase::Streamed;
use futures_util::StreamExt;

use crate::common::{CountRequest, EchoReply, EchoRequest, Scripted, reply};

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Never answers.
pub(crate) const HANG: &str = "hang";
/// Answers after a while.
pub(crate) const SLOW: &str = "slow";
/// Streams without an end.
pub(crate) const ENDLESS: &str = "endless";

pub(crate) fn running() -> usize {
    RUNNING.load(Ordering::SeqCst)
}

/// A call that runs, until it is dropped.
struct Running;

impl Running {
    fn new() -> Self {
        RUNNING.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) fn servicer() -> Scripted {
    Scripted::new()
        .on_echo(|_, request: EchoRequest| async move {
            let _running = Running::new();
            match &*request.behaviour {
                HANG => std::future::pending().await,
                SLOW => tokio::time::sleep(Duration::from_millis(2)).await,
                _ => {}
            }
            Ok(reply(0, request.payload))
        })
        .on_count(|_, request: CountRequest| async move {
            let running = Running::new();
            let count = if request.behaviour == ENDLESS {
                u64::MAX
            } else {
                request.count
            };
            let replies = futures_util::stream::iter(0..count).map(move |number| {
                // The stream owns it, and is dropped when the call is.
                let _ = &running;
                Ok::<EchoReply, _>(reply(number, [7; 100]))
            });
            Ok(Streamed::new(replies))
        })
}
