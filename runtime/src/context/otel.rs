//! The spans of a call, for who makes more of them.

use std::sync::OnceLock;

use http::HeaderValue;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceId};

use super::Context;
use super::{Digits, digits};
use crate::interceptors::{headers_of, remote};

/// A span that was put in by hand.
struct Within {
    context: opentelemetry::Context,
    trace_id: OnceLock<Digits>,
}

impl Context {
    /// OpenTelemetry's context with the span of this call, for spans that are to be its children:
    ///
    /// ```
    /// use apibase::Context;
    /// use apibase::opentelemetry::trace::{Span, Tracer};
    ///
    /// fn rank(ctx: &Context, tracer: &impl Tracer) {
    ///     let mut span = tracer.start_with_context("rank", &ctx.otel());
    ///     // …
    ///     span.end();
    /// }
    /// ```
    ///
    /// In a servicer that is the server's span, where [`Tracing`](crate::Tracing) makes one, else the
    /// span that the caller has sent; outside of one, what [`with_otel`](Self::with_otel) has put in.
    #[must_use]
    pub fn otel(&self) -> opentelemetry::Context {
        if let Some(within) = self.extension::<Within>() {
            return within.context.clone();
        }
        let own = self.trail().span().otel();
        own.unwrap_or_else(|| self.incoming_otel())
    }

    /// The same context within this span of OpenTelemetry: the calls that are made with it are the
    /// span's children.
    ///
    /// A context that is `attach`ed to the thread is found without this, if it is of the call's trace
    /// or the call has none.
    #[must_use]
    pub fn with_otel(&self, context: opentelemetry::Context) -> Self {
        self.with_extension(Within {
            context,
            trace_id: OnceLock::new(),
        })
    }

    /// What the spans of the calls are children of that are made with this; None if nobody would record
    /// them: the call that they are made in isn't recorded, and `follows` says that this is enough.
    pub(crate) fn parent_of_calls(&self, follows: bool) -> Option<opentelemetry::Context> {
        if self.extension::<Within>().is_some() {
            return Some(self.otel());
        }
        let span = self.trail().span();
        let incoming = || {
            let trace = self.incoming_trace()?;
            Some((trace.trace_id.into(), trace.is_sampled()))
        };
        let own = span.trace_id().zip(span.is_sampled()).or_else(incoming);
        let Some((trace_id, is_sampled)) = own else {
            return Some(opentelemetry::Context::current());
        };
        if follows && !is_sampled {
            return None;
        }
        // A span that the user has made below ours.
        let nearer = opentelemetry::Context::map_current(|current| {
            let is_ours = current.span().span_context().trace_id() == trace_id;
            is_ours.then(|| current.clone())
        });
        Some(nearer.unwrap_or_else(|| self.otel()))
    }

    /// OpenTelemetry's context with the caller's span, as it came in.
    pub(crate) fn incoming_otel(&self) -> opentelemetry::Context {
        let none = opentelemetry::Context::new();
        let Some(trace) = self.incoming_trace() else {
            return none;
        };
        none.with_remote_span_context(remote(&trace, self.incoming_state()))
    }

    pub(super) fn span_trace_id(&self) -> Option<&str> {
        if let Some(within) = self.extension::<Within>() {
            let span = within.context.span();
            let id = span.span_context().trace_id();
            let is_one = id != TraceId::INVALID;
            let digits = || within.trace_id.get_or_init(|| digits(id.to_bytes()));
            return is_one.then(|| digits().as_str());
        }
        self.trail().span().trace_id_digits()
    }

    #[cfg(feature = "prometheus")]
    pub(super) fn is_span_sampled(&self) -> Option<bool> {
        if let Some(within) = self.extension::<Within>() {
            return Some(within.context.span().span_context().is_sampled());
        }
        self.trail().span().is_sampled()
    }

    /// What passes on the span of this call.
    pub(super) fn span_headers(&self) -> Option<(HeaderValue, Option<HeaderValue>)> {
        let of = |span: &SpanContext| headers_of(span);
        if let Some(within) = self.extension::<Within>() {
            return of(within.context.span().span_context());
        }
        of(&self.trail().span().context()?)
    }
}
