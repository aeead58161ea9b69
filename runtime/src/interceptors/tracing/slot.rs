//! [`SpanSlot`]: where a call has its span, and [`Ids`], which makes ids.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::span::{AttemptSpan, CallSpan};
use crate::context::{Digits, digits};

/// The span of a call, once it has one: the first one counts.
///
/// Most spans are recorded by nobody. Such a one is no more than its ids, which are numbers until somebody
/// asks for their text.
#[derive(Debug, Default)]
pub(crate) struct SpanSlot {
    /// Of one that is no more than that: the halves of the trace's id, and its own; 0 where there is none.
    ids: [AtomicU64; 3],
    made: OnceLock<CallSpan>,
    trace_id: OnceLock<Digits>,
}

impl SpanSlot {
    /// Whether there is one.
    pub(super) fn is_taken(&self) -> bool {
        self.made().is_some() || self.dropped().is_some()
    }

    /// The call's is one that nobody records.
    pub(super) fn put_ids(&self, trace_id: TraceId, span_id: SpanId) {
        let trace_id = u128::from_be_bytes(trace_id.to_bytes());
        let [high, low, own] = &self.ids;
        high.store((trace_id >> 64) as u64, Ordering::Relaxed);
        low.store(trace_id as u64, Ordering::Relaxed);
        // After what belongs to it.
        let span_id = u64::from_be_bytes(span_id.to_bytes());
        own.store(span_id, Ordering::Release);
    }

    /// The call's is this.
    pub(super) fn put(&self, span: CallSpan) {
        let _ = self.made.set(span);
    }

    /// One that is more than its ids.
    pub(super) fn made(&self) -> Option<&CallSpan> {
        self.made.get()
    }

    fn dropped(&self) -> Option<(TraceId, SpanId)> {
        let [high, low, own] = &self.ids;
        let own = own.load(Ordering::Acquire);
        if own == 0 {
            return None;
        }
        let [high, low] = [high, low].map(|half| u128::from(half.load(Ordering::Relaxed)));
        Some((TraceId::from(high << 64 | low), SpanId::from(own)))
    }

    /// What is passed on of it.
    pub(crate) fn context(&self) -> Option<SpanContext> {
        if let Some(made) = self.made() {
            return Some(made.span_context().clone());
        }
        let (trace_id, span_id) = self.dropped()?;
        let (flags, state) = (TraceFlags::default(), TraceState::NONE);
        Some(SpanContext::new(trace_id, span_id, flags, false, state))
    }

    /// Its trace.
    pub(crate) fn trace_id(&self) -> Option<TraceId> {
        match self.made() {
            Some(made) => Some(made.span_context().trace_id()),
            None => self.dropped().map(|(trace_id, _)| trace_id),
        }
    }

    /// Its trace, as 32 digits.
    pub(crate) fn trace_id_digits(&self) -> Option<&str> {
        let id = self.trace_id()?;
        let text = self.trace_id.get_or_init(|| digits(id.to_bytes()));
        Some(text.as_str())
    }

    /// Whether it is recorded and exported; `None` where there is no span.
    pub(crate) fn is_sampled(&self) -> Option<bool> {
        match self.made() {
            Some(made) => Some(made.span_context().is_sampled()),
            None => self.dropped().map(|_| false),
        }
    }

    /// What spans below it are made in.
    pub(crate) fn otel(&self) -> Option<opentelemetry::Context> {
        if let Some(recorded) = self.made().and_then(CallSpan::otel) {
            return Some(recorded);
        }
        let span = self.context()?;
        Some(opentelemetry::Context::new().with_remote_span_context(span))
    }

    /// The span of one of the call's attempts, from 1 on; `None` where nobody records the call.
    pub(crate) fn attempt(&self, number: u32) -> Option<AttemptSpan> {
        self.made()?.attempt(number)
    }
}

thread_local! {
    /// The id of the trace that is begun next.
    static DRAWN: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Makes ids. That of a trace can be drawn before: the sampler goes by it, and can so be asked before there
/// is a span.
#[derive(Debug, Default)]
pub(super) struct Ids(RandomIdGenerator);

impl Ids {
    /// What `begin` makes a span by, whose trace has this id if it begins one.
    pub(super) fn within<T>(trace_id: TraceId, begin: impl FnOnce() -> T) -> T {
        DRAWN.set(Some(trace_id));
        let begun = begin();
        DRAWN.set(None);
        begun
    }
}

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        // A thread that ends draws none before.
        let drawn = DRAWN.try_with(Cell::take).ok().flatten();
        drawn.unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::error::OTelSdkResult;
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};

    use super::super::span::MethodSpans;
    use super::*;
    use crate::interceptors::Trail;
    use crate::interceptors::chain::Watch;
    use crate::observe::Side;
    use crate::{Context, Method};

    /// Keeps the traces of the spans that were begun.
    #[derive(Clone, Debug, Default)]
    struct Begun(Arc<Mutex<Vec<TraceId>>>);

    impl SpanProcessor for Begun {
        fn on_start(&self, span: &mut Span, _: &opentelemetry::Context) {
            use opentelemetry::trace::Span as _;
            self.0.lock().unwrap().push(span.span_context().trace_id());
        }

        fn on_end(&self, _: SpanData) {}

        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
            Ok(())
        }
    }

    #[test]
    fn as_many_traces_are_sampled_as_the_ratio_says_and_by_the_ids_that_they_have() {
        static METHOD: Method = Method::unary("/t.T/T");
        const CALLS: usize = 4000;
        let (begun, sampler) = (Begun::default(), Sampler::TraceIdRatioBased(0.5));
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler.clone())
            .with_id_generator(Ids::default())
            .with_span_processor(begun.clone())
            .build();
        let decides = (Some(sampler), true);
        let tracer = provider.tracer("t");
        let spans = Arc::new(MethodSpans::new(tracer, Side::Server, &METHOD, "", decides));
        let mut sampled = Vec::new();
        for _ in 0..CALLS {
            let trail = Trail::default();
            spans.enter(&Context::background(), &trail);
            let slot = trail.span();
            // Dropped or not, each call has a trace.
            let trace_id = slot.trace_id().unwrap();
            assert_eq!(slot.context().unwrap().trace_id(), trace_id);
            assert_eq!(slot.trace_id_digits().unwrap(), trace_id.to_string());
            if slot.is_sampled().unwrap() {
                sampled.push(trace_id);
            }
        }
        assert_eq!(sampled, *begun.0.lock().unwrap());
        // Half of them, by ten standard deviations; asked twice for each, it would be a quarter.
        assert!(sampled.len().abs_diff(CALLS / 2) < 320, "{}", sampled.len());
        assert_eq!(DRAWN.get(), None);
    }
}
