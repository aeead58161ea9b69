//! [`TracingGuard`]: exports what is left before the process ends.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::exporter::Postman;
use super::queue::Waiting;

/// How long spans may take to leave, when the process ends.
const FLUSH: Duration = Duration::from_secs(3);
/// For threads to start and to tell.
const SLACK: Duration = Duration::from_millis(200);

/// Exports the spans of [`Tracing::from_env`](super::super::Tracing::from_env) until it is dropped; keep
/// it until the process ends.
///
/// Dropping it exports what is left, for 3 s at most, and waits for that.
/// [`shutdown`](Self::shutdown) does so without blocking the thread.
#[must_use = "spans are exported until this is dropped"]
pub struct TracingGuard {
    /// None once it is over, and where nothing is exported.
    exports: Option<Exports>,
}

struct Exports {
    provider: SdkTracerProvider,
    postman: Postman,
    waiting: Arc<Waiting>,
}

impl TracingGuard {
    pub(super) fn new(
        provider: SdkTracerProvider,
        postman: Postman,
        waiting: Arc<Waiting>,
    ) -> Self {
        Self {
            exports: Some(Exports {
                provider,
                postman,
                waiting,
            }),
        }
    }

    /// Of nothing.
    pub(super) fn nothing() -> Self {
        Self { exports: None }
    }

    /// The provider, for a user's own spans beside those of calls: with the same exporter, sampler and
    /// resource. None where nothing is exported.
    #[must_use]
    pub fn provider(&self) -> Option<&SdkTracerProvider> {
        self.exports.as_ref().map(|exports| &exports.provider)
    }

    /// How many spans were lost until now, as their queue was full or the collector didn't take them. The
    /// process's log says so too, once a minute at most.
    #[must_use]
    pub fn lost(&self) -> u64 {
        let exports = self.exports.as_ref();
        exports.map_or(0, |exports| exports.waiting.losses.all())
    }

    /// Exports what is left, for 3 s at most, and ends. What could not be exported by then is lost.
    pub async fn shutdown(mut self) {
        if let Some(exports) = self.exports.take() {
            let (tell, told) = oneshot::channel();
            flush(exports, move || {
                let _ = tell.send(());
            });
            // Bounded here, too: nothing of the SDK is to hold the process.
            let _ = timeout(FLUSH + SLACK, told).await;
        }
    }
}

impl Drop for TracingGuard {
    fn drop(&mut self) {
        if let Some(exports) = self.exports.take() {
            let (tell, told) = mpsc::sync_channel(1);
            flush(exports, move || {
                let _ = tell.send(());
            });
            let _ = told.recv_timeout(FLUSH + SLACK);
        }
    }
}

/// Shuts down on a thread of its own, which need not end before the process does.
fn flush(exports: Exports, then: impl FnOnce() + Send + 'static) {
    let run = move || {
        let waiting = &exports.waiting;
        if let Err(why) = exports.provider.shutdown_with_timeout(FLUSH) {
            let why = format!("the process ends: {why}");
            waiting.losses.failed(waiting.left() as u64, why);
        }
        waiting.losses.tell_last();
        drop(exports.postman);
        then();
    };
    // If there is no thread, what `then` holds is dropped, and nobody waits.
    if let Err(why) = thread::Builder::new()
        .name("apibase-flush".to_owned())
        .spawn(run)
    {
        tracing::warn!(%why, "the last spans could not be exported: there is no thread for it");
    }
}

impl fmt::Debug for TracingGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracingGuard")
            .field("is_exporting", &self.exports.is_some())
            .finish()
    }
}
