//! [`CallSpan`], [`AttemptSpan`]: the spans of a call, from their start to their end.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags,
    TraceId, TraceState, Tracer,
};
use opentelemetry::{Context as OtelContext, KeyValue};
use opentelemetry_sdk::trace::{
    IdGenerator as _, Sampler, SamplingDecision, SdkTracer, ShouldSample as _, Span,
};

use super::attributes;
use super::slot::{Ids, SpanSlot};
use crate::client::Verdict;
use crate::context::{TraceContext, traceparent};
use crate::interceptors::chain::Watch;
use crate::interceptors::{CallEnd, Trail};
use crate::observe::Side;
use crate::{Code, Context, Method};

/// What the spans of a method have in common.
pub(super) struct MethodSpans {
    tracer: SdkTracer,
    /// What decides about traces that begin here; None where that is somebody else's.
    sampler: Option<Sampler>,
    side: Side,
    name: &'static str,
    attributes: Vec<KeyValue>,
    follows_callers: bool,
}

/// The span of a call.
pub(crate) struct CallSpan {
    span: SpanContext,
    /// None where it isn't recorded.
    recording: Option<Recording>,
}

struct Recording {
    /// It holds the span.
    context: OtelContext,
    spans: Arc<MethodSpans>,
}

/// The span of an attempt, which is a child of its call's. One pointer, since all futures of a call have
/// room for several of them.
#[derive(Clone)]
pub(crate) struct AttemptSpan(Arc<OtelContext>);

impl MethodSpans {
    pub(super) fn new(
        tracer: SdkTracer,
        side: Side,
        method: &'static Method,
        target: &str,
        (sampler, follows_callers): (Option<Sampler>, bool),
    ) -> Self {
        Self {
            tracer,
            sampler,
            side,
            name: attributes::span_name(method),
            attributes: attributes::of_method(method, target),
            follows_callers,
        }
    }

    fn kind(&self) -> SpanKind {
        match self.side {
            Side::Server => SpanKind::Server,
            Side::Client => SpanKind::Client,
        }
    }

    /// What the span of a call is a child of; None if nobody would record it.
    fn parent(&self, context: &Context) -> Option<OtelContext> {
        match self.side {
            Side::Client => context.parent_of_calls(self.follows_callers),
            Side::Server => {
                let caller = context.incoming_trace();
                let is_left_out = caller.is_some_and(|caller| !caller.is_sampled());
                (!(self.follows_callers && is_left_out)).then(|| context.incoming_otel())
            }
        }
    }

    /// Begins the call's span, unless there are to be none.
    fn begin(self: &Arc<Self>, context: &Context, slot: &SpanSlot) {
        let Some(parent) = self.parent(context) else {
            return;
        };
        let span = match self.draw(&parent) {
            Drawn::Dropped(trace_id) => {
                return slot.put_ids(trace_id, Ids::default().new_span_id());
            }
            Drawn::Sampled(trace_id) => Ids::within(trace_id, || self.build(&parent)),
            Drawn::Unasked => self.build(&parent),
        };
        self.put(slot, context, span, &parent);
    }

    /// Asks the sampler whether a trace that begins here is recorded: most are not, and a span is then made
    /// for nothing.
    fn draw(&self, parent: &OtelContext) -> Drawn {
        let Some(sampler) = &self.sampler else {
            return Drawn::Unasked;
        };
        if parent.span().span_context().is_valid() || parent.is_telemetry_suppressed() {
            return Drawn::Unasked;
        }
        let trace_id = Ids::default().new_trace_id();
        let sampled = sampler.should_sample(None, trace_id, self.name, &self.kind(), &[], &[]);
        match sampled.decision {
            SamplingDecision::Drop => Drawn::Dropped(trace_id),
            _ => Drawn::Sampled(trace_id),
        }
    }

    fn build(&self, parent: &OtelContext) -> Span {
        // Without attributes: the sampler is asked first, and most calls have no use for them.
        let builder = SpanBuilder::from_name(self.name).with_kind(self.kind());
        self.tracer.build_with_context(builder, parent)
    }

    /// The call has this span.
    fn put(
        self: &Arc<Self>,
        slot: &SpanSlot,
        call: &Context,
        mut span: Span,
        parent: &OtelContext,
    ) {
        let own = span.span_context().clone();
        if !own.is_valid() {
            return;
        }
        let recording = span.is_recording().then(|| {
            span.set_attributes(self.attributes.iter().cloned());
            if self.side == Side::Server {
                span.set_attributes(attributes::of_peer(call));
            }
            Recording {
                context: parent.with_span(span),
                spans: Arc::clone(self),
            }
        });
        slot.put(CallSpan {
            span: own,
            recording,
        });
    }
}

/// What the sampler says of a trace that would begin.
enum Drawn {
    /// Nothing: none begins, or the sampler is somebody else's.
    Unasked,
    Dropped(TraceId),
    Sampled(TraceId),
}

impl Watch for Arc<MethodSpans> {
    fn enter(&self, context: &Context, trail: &Trail) {
        // One may have been begun before, by another part of the chain.
        if !trail.span().is_taken() {
            self.begin(context, trail.span());
        }
    }

    fn leave(&self, end: &CallEnd<'_>) {
        let span = end.trail.span().made();
        if let Some(recording) = span.and_then(|span| span.recording.as_ref())
            && Arc::ptr_eq(&recording.spans, self)
        {
            let path = end.trail.path().map(attributes::of_path);
            let more = path.into_iter().collect();
            finish(&recording.context, self.side, end.code, more, false);
        }
    }
}

impl CallSpan {
    pub(crate) fn span_context(&self) -> &SpanContext {
        &self.span
    }

    /// What spans below it are made in, if it is recorded.
    pub(crate) fn otel(&self) -> Option<OtelContext> {
        Some(self.recording.as_ref()?.context.clone())
    }

    /// Begins an attempt of the call, counted from 1 on; None where the call isn't recorded.
    pub(crate) fn attempt(&self, number: u32) -> Option<AttemptSpan> {
        let Recording { context, spans } = self.recording.as_ref()?;
        let name = format!("attempt {}", spans.name);
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Client);
        let mut span = spans.tracer.build_with_context(builder, context);
        if !span.span_context().is_valid() {
            return None;
        }
        span.set_attributes(spans.attributes.iter().cloned());
        span.set_attribute(attributes::of_attempt(number));
        Some(AttemptSpan(Arc::new(context.with_span(span))))
    }
}

impl AttemptSpan {
    /// What passes it on.
    pub(crate) fn headers(&self) -> Option<(HeaderValue, Option<HeaderValue>)> {
        headers_of(self.0.span().span_context())
    }

    /// The attempt is over; what comes after the first time counts for nothing.
    pub(crate) fn end(&self, endpoint: Option<&str>, code: Code, verdict: Option<Verdict>) {
        let mut more = endpoint.map_or_else(Vec::new, attributes::of_endpoint);
        more.extend(verdict.map(attributes::of_verdict));
        // It was dropped because all is well.
        let is_spare = verdict == Some(Verdict::Overtaken);
        finish(&self.0, Side::Client, code, more, is_spare);
    }
}

/// Ends a span. One that is spare is no error, whatever its code.
fn finish(context: &OtelContext, side: Side, code: Code, more: Vec<KeyValue>, is_spare: bool) {
    let span = context.span();
    let (attributes, status) = attributes::of_end(side, code, is_spare);
    span.set_attributes(attributes.into_iter().chain(more));
    if status != Status::Unset {
        span.set_status(status);
    }
    span.end();
}

/// The headers that pass a span on.
pub(crate) fn headers_of(span: &SpanContext) -> Option<(HeaderValue, Option<HeaderValue>)> {
    if !span.is_valid() {
        return None;
    }
    let trace_id = u128::from_be_bytes(span.trace_id().to_bytes());
    let span_id = u64::from_be_bytes(span.span_id().to_bytes());
    let parent = traceparent(trace_id, span_id, span.trace_flags().to_u8())?;
    let state = span.trace_state();
    let state = (*state != TraceState::NONE)
        .then(|| HeaderValue::try_from(state.header()).ok())
        .flatten();
    Some((parent, state))
}

/// The span of who calls, as it came in.
pub(crate) fn remote(trace: &TraceContext, state: Option<HeaderValue>) -> SpanContext {
    let state = state.and_then(|state| state.to_str().ok()?.parse().ok());
    SpanContext::new(
        TraceId::from(trace.trace_id),
        SpanId::from(trace.span_id),
        TraceFlags::new(trace.flags),
        true,
        state.unwrap_or(TraceState::NONE),
    )
}

impl fmt::Debug for CallSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallSpan")
            .field("span", &self.span)
            .field("is_recorded", &self.recording.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AttemptSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttemptSpan")
            .field(self.0.span().span_context())
            .finish()
    }
}
