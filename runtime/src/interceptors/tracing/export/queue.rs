//! [`Queue`]: spans on their way to the thread that exports them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

use super::losses::Losses;

/// The SDK's queue, which drops what it has no room for without a word: what would be dropped there is
/// counted here, and never comes to it.
#[derive(Debug)]
pub(super) struct Queue {
    batches: BatchSpanProcessor,
    waiting: Arc<Waiting>,
}

/// How many spans wait.
#[derive(Debug)]
pub(super) struct Waiting {
    most: usize,
    queued: AtomicUsize,
    under_way: AtomicUsize,
    pub(super) losses: Losses,
}

impl Queue {
    pub(super) fn new(batches: BatchSpanProcessor, waiting: &Arc<Waiting>) -> Self {
        Self {
            batches,
            waiting: Arc::clone(waiting),
        }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.queue() {
            self.batches.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

impl Waiting {
    /// No more than `most` are queued at once.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            queued: AtomicUsize::new(0),
            under_way: AtomicUsize::new(0),
            losses: Losses::default(),
        }
    }

    /// Another one, if there is room.
    fn queue(&self) -> bool {
        let has_room = self.queued.fetch_add(1, Ordering::Relaxed) < self.most;
        if !has_room {
            self.queued.fetch_sub(1, Ordering::Relaxed);
            self.losses.full();
        }
        has_room
    }

    /// So many are taken out, to be exported.
    pub(super) fn take(&self, spans: usize) {
        self.under_way.fetch_add(spans, Ordering::Relaxed);
        self.queued.fetch_sub(spans, Ordering::Relaxed);
    }

    /// So many that were taken out are dealt with.
    pub(super) fn settle(&self, spans: usize) {
        self.under_way.fetch_sub(spans, Ordering::Relaxed);
    }

    /// How many are not dealt with.
    pub(super) fn left(&self) -> usize {
        self.queued.load(Ordering::Relaxed) + self.under_way.load(Ordering::Relaxed)
    }
}
