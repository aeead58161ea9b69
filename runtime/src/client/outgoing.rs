//! [`Outgoing`]: one call on its way out, and what must happen once when it is over.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use tokio::time::{Instant, timeout_at};
use tonic::metadata::MetadataMap;

use super::attempt::{Attempt, Way};
use super::body::RequestStream;
use super::effective::{EffectiveRetry, Limit};
use super::failure::{Failure, FailureKind};
use super::fallback::Fallback;
use super::info::CallInfo;
use super::options::CallOptions;
use super::passage::Passage;
use super::runtime;
use super::setback::Setback;
use super::trace::AttemptTrace;
use super::upstream::{MethodState, Upstream};
use crate::clock;
use crate::context::is_correlation_id;
#[cfg(feature = "otel")]
use crate::interceptors::headers_of;
use crate::interceptors::{CORRELATION_ID, Flow, Tally};
use crate::observe::{Event, Observers, Side};
use crate::wire::compression::Encodings;
use crate::wire::headers::MAX_METADATA;
use crate::wire::{headers, timeout};
use crate::{Code, Compression, Context, HedgingPolicy, Method, Status};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
const PREVIOUS_ATTEMPTS: HeaderName = HeaderName::from_static("grpc-previous-rpc-attempts");

/// One call on its way out: what it was started with. Dropping it ends the call: observers hear the
/// final code.
pub(super) struct Outgoing {
    pub(super) context: Context,
    pub(super) deadline: Option<Instant>,
    /// Whose deadline it is.
    limit: Option<Limit>,
    /// How long it had when it began, if that is what the call that it is made in had left.
    inherited: Option<Duration>,
    /// The deadline for the wire, where it is the method's own.
    timeout: Option<HeaderValue>,
    method: &'static Method,
    options: Option<Arc<CallOptions>>,
    upstream: Option<Arc<Observers>>,
    /// The interceptors; None where there are none.
    passage: Option<Passage>,
    /// None where nobody asks.
    started: Option<Instant>,
    max_message_size: usize,
    code: Code,
}

/// How a call ended that was [limited](Outgoing::limit).
pub(super) enum Limited<R> {
    Done(R),
    /// Its time is over.
    Expired,
    /// The call that it was made in is over.
    Cancelled,
}

impl Outgoing {
    /// Whatever can fail before anything is sent.
    pub(super) fn start(
        ctx: &Context,
        method: &'static Method,
        options: Option<Arc<CallOptions>>,
        upstream: &Upstream,
        state: &MethodState,
    ) -> Result<Self, Failure> {
        let mut call = Self::new(ctx, method, options, upstream, state);
        match call.unsendable(state) {
            None => Ok(call),
            Some(failure) => {
                call.end(failure.status().code());
                Err(failure)
            }
        }
    }

    fn new(
        ctx: &Context,
        method: &'static Method,
        options: Option<Arc<CallOptions>>,
        upstream: &Upstream,
        state: &MethodState,
    ) -> Self {
        let own = options.as_deref();
        let limit = state
            .effective
            .limit(own.and_then(|options| options.deadline));
        let observers = upstream.observers().cloned();
        let now = Instant::now();
        let passage = state.chain.as_ref().map(Passage::new);
        let is_heard = observers.is_some() || own.is_some_and(|own| own.observers.is_some());
        let started = (is_heard || passage.is_some()).then_some(now);
        let at = limit.and_then(|limit| now.checked_add(limit.duration));
        // What is left of the inherited deadline counts, if that is less.
        let (context, limit) = match (at, ctx.deadline()) {
            (Some(at), inherited) if inherited.is_none_or(|inherited| at < inherited) => {
                (ctx.with_deadline(at), limit)
            }
            _ => (ctx.clone(), None),
        };
        let max_message_size = own.and_then(|options| options.max_message_size);
        let call = Self {
            deadline: context.deadline(),
            timeout: match own.and_then(|options| options.deadline) {
                None if limit.is_some() => state.timeout.clone(),
                _ => None,
            },
            inherited: match (limit, context.deadline()) {
                (None, Some(deadline)) => Some(deadline.saturating_duration_since(now)),
                _ => None,
            },
            limit,
            context,
            method,
            options,
            upstream: observers,
            passage,
            started,
            max_message_size: state.effective.max_message_size(max_message_size),
            // Who drops a call without an end has cancelled it.
            code: Code::Cancelled,
        };
        if let (Some(passage), Some(id)) = (&call.passage, call.own_correlation_id()) {
            passage.correlate(id);
        }
        if let Some(info) = call.info() {
            info.start();
        }
        call.observe(|method, context| Event::Started {
            side: Side::Client,
            method,
            context,
        });
        call
    }

    /// Why there is no use in sending it.
    fn unsendable(&self, state: &MethodState) -> Option<Failure> {
        if self.is_timed(state)
            && let Err(missing) = runtime::check()
        {
            return Some(missing.into());
        }
        if self.deadline.is_some_and(|at| at <= Instant::now()) {
            let status = Status::new(Code::DeadlineExceeded, "no time is left for the call");
            return Some(Failure::unsent(FailureKind::Deadline, status));
        }
        let options = self.options.as_ref()?;
        if let Some(wrong) = &options.wrong {
            let status = Status::new(Code::Internal, wrong.to_string());
            return Some(Failure::encode(status));
        }
        let size = headers::size(options.metadata.as_ref());
        (size > MAX_METADATA).then(|| {
            let message =
                format!("the call's metadata takes {size} bytes, and servers take {MAX_METADATA}");
            Failure::encode(Status::new(Code::Internal, message))
        })
    }

    /// Whether there will be timers for it, whatever comes.
    fn is_timed(&self, state: &MethodState) -> bool {
        self.deadline.is_some()
            || self.hedging(state).is_some()
            || self.retry(state).attempt_timeout.is_some()
    }

    /// The metadata that it was made with.
    pub(super) fn metadata(&self) -> MetadataMap {
        let own = self.options.as_ref();
        own.map_or_else(MetadataMap::new, |own| own.metadata.clone())
    }

    /// Carries it by `exchange`, once it has come through the interceptors.
    pub(super) async fn carry<R>(
        &self,
        exchange: impl Future<Output = Result<R, Setback>>,
    ) -> Result<R, Setback> {
        match &self.passage {
            None => exchange.await,
            Some(passage) => passage.carry(self, exchange).await,
        }
    }

    /// Counts its messages that go this way, if anybody wants to know.
    pub(super) fn tally(&self, flow: Flow) -> Tally {
        Tally::outgoing(self.passage.as_ref().map(Passage::trail), flow)
    }

    pub(super) fn info(&self) -> Option<&CallInfo> {
        self.options.as_ref()?.info.as_ref()
    }

    pub(super) fn method(&self) -> &'static Method {
        self.method
    }

    pub(super) fn max_message_size(&self) -> usize {
        self.max_message_size
    }

    /// How its requests are sent again.
    pub(super) fn retry(&self, state: &MethodState) -> EffectiveRetry {
        let own = self.options.as_ref().and_then(|own| own.retry);
        state.effective.retry(own)
    }

    /// Another way for it, if there is one.
    pub(super) fn fallback(&self) -> Option<&Fallback> {
        self.options.as_ref()?.fallback.as_deref()
    }

    /// How it is hedged, if it is.
    pub(super) fn hedging(&self, state: &MethodState) -> Option<HedgingPolicy> {
        let own = self.options.as_ref();
        let hedging = own.and_then(|own| own.hedging);
        state
            .effective
            .hedging(hedging, own.and_then(|own| own.retry))
    }

    /// Whether it waits for a connection, rather than failing when none can be made.
    pub(super) fn waits_for_ready(&self, state: &MethodState) -> bool {
        let own = self.options.as_ref().and_then(|own| own.wait_for_ready);
        state.effective.wait_for_ready(own)
    }

    /// What is left of the deadline, if there is one.
    pub(super) fn remaining(&self) -> Option<Duration> {
        let deadline = self.deadline?;
        Some(deadline.saturating_duration_since(Instant::now()))
    }

    /// How long it had when it began, if that is what the call that it is made in had left.
    pub(super) fn inherited(&self) -> Option<Duration> {
        self.inherited
    }

    /// How its requests are compressed.
    pub(super) fn compression(&self) -> Option<Compression> {
        self.options.as_ref()?.compression
    }

    /// The call as an HTTP request with this body.
    pub(super) fn request(
        &self,
        body: RequestStream,
        previous: u32,
        token: Option<HeaderValue>,
        attempt: &Attempt,
    ) -> Request<RequestStream> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = Uri::from(PathAndQuery::from_static(self.method.path()));
        let headers = request.headers_mut();
        *headers = self.headers(previous, token);
        self.pass_trace_on(headers, attempt);
        request
    }

    /// An attempt begins, after this many that count.
    pub(super) fn begin(&self, attempt: &mut Attempt, previous: u32) {
        #[cfg(feature = "otel")]
        if let Some(passage) = &self.passage {
            attempt.set_span(passage.trail().span().attempt(previous + 1));
        }
        #[cfg(not(feature = "otel"))]
        let _ = (attempt, previous);
    }

    /// The attempt's span, or the call's, goes with it; else the trace that the call is made in, unless
    /// the call has been given another one.
    fn pass_trace_on(&self, map: &mut HeaderMap, attempt: &Attempt) {
        let passed = match self.own_trace(attempt) {
            Some(own) => Some(own),
            None if map.contains_key(TRACEPARENT) => None,
            None => self.context.outgoing_trace(),
        };
        let Some((parent, state)) = passed else {
            return;
        };
        map.insert(TRACEPARENT, parent);
        match state {
            Some(state) => map.insert(TRACESTATE, state),
            // One without its trace means nothing.
            None => map.remove(TRACESTATE),
        };
    }

    #[cfg(feature = "otel")]
    fn own_trace(&self, attempt: &Attempt) -> Option<(HeaderValue, Option<HeaderValue>)> {
        if let Some(span) = &attempt.way().span {
            return span.headers();
        }
        let trail = self.passage.as_ref()?.trail();
        headers_of(&trail.span().context()?)
    }

    #[cfg(not(feature = "otel"))]
    fn own_trace(&self, _attempt: &Attempt) -> Option<(HeaderValue, Option<HeaderValue>)> {
        None
    }

    fn headers(&self, previous: u32, token: Option<HeaderValue>) -> HeaderMap {
        let passed = self.passage.as_ref().and_then(Passage::metadata);
        let own = self.options.as_ref().map(|options| &options.metadata);
        let mut map = match passed.or(own) {
            Some(metadata) => metadata.clone().into_headers(),
            None => HeaderMap::with_capacity(8),
        };
        map.insert(header::TE, headers::TRAILERS);
        map.insert(header::CONTENT_TYPE, headers::GRPC);
        map.insert(header::USER_AGENT, headers::USER_AGENT);
        if !Encodings::all().is_empty() {
            let name = headers::GRPC_ACCEPT_ENCODING;
            map.insert(name, Encodings::all().header());
        }
        if let Some(compression) = self.compression() {
            map.insert(headers::GRPC_ENCODING, compression.header());
        }
        if let Some(timeout) = self.timeout() {
            map.insert(timeout::GRPC_TIMEOUT, timeout);
        }
        if previous > 0 {
            map.insert(PREVIOUS_ATTEMPTS, HeaderValue::from(previous));
        }
        // What was set for this call is meant.
        if let Some(token) = token {
            map.entry(header::AUTHORIZATION).or_insert(token);
        }
        if !map.contains_key(CORRELATION_ID)
            && let Some(id) = self.correlation_id()
            && let Some(id) = headers::unrepeated(id)
        {
            map.insert(CORRELATION_ID, id);
        }
        map
    }

    /// The correlation id that it is sent with, unless its metadata has one.
    fn correlation_id(&self) -> Option<&str> {
        let given = || self.passage.as_ref()?.correlation_id();
        self.context.correlation_id().or_else(given)
    }

    /// The correlation id of the metadata that it was made with, if that is valid.
    fn own_correlation_id(&self) -> Option<&str> {
        let metadata = self.options.as_ref()?.metadata.as_ref();
        let id = metadata.get(CORRELATION_ID)?.to_str().ok()?;
        is_correlation_id(id).then_some(id)
    }

    /// What is left of the deadline, for the wire.
    fn timeout(&self) -> Option<HeaderValue> {
        let remaining = self.remaining()?;
        match (&self.timeout, self.limit) {
            // Next to nothing is gone.
            (Some(own), Some(limit)) if limit.duration - limit.duration / 1000 <= remaining => {
                Some(own.clone())
            }
            _ => Some(timeout::write(remaining)),
        }
    }

    /// Whether the call has a token of its own.
    pub(super) fn has_token(&self) -> bool {
        self.options
            .as_ref()
            .is_some_and(|options| options.metadata.contains_key("authorization"))
    }

    /// Runs `exchange` until the deadline, and no longer than the call that this one is made in.
    pub(super) async fn limit<R>(&self, exchange: impl Future<Output = R>) -> Limited<R> {
        let limited = async {
            match self.deadline {
                Some(deadline) => match timeout_at(deadline, exchange).await {
                    Ok(result) => Limited::Done(result),
                    Err(_) => Limited::Expired,
                },
                None => Limited::Done(exchange.await),
            }
        };
        if !self.context.is_cancellable() {
            return limited.await;
        }
        tokio::select! {
            // An answer that is there counts, even if the caller is gone by now.
            biased;
            result = limited => result,
            () = self.context.cancelled() => Limited::Cancelled,
        }
    }

    /// What a call is whose time is over.
    #[cold]
    ///
    /// `way` is where the attempt was that ran, if one did.
    pub(super) fn expired(&self, way: Option<&Way>, trace: &AttemptTrace) -> Failure {
        let mut message = match &self.limit {
            Some(limit) => format!("the deadline of {limit} has passed"),
            None => "the deadline that the caller's own call has left has passed".to_owned(),
        };
        match way {
            Some(way) => message.push_str(&format!(" while {}", way.reached)),
            None => message.push_str(" before the next attempt"),
        }
        if let Some(endpoint) = way.and_then(|way| way.endpoint.as_ref()) {
            message.push_str(&format!(" ({endpoint})"));
        }
        if let Some(last) = trace.records().last() {
            let (code, cause) = (last.code(), last.cause());
            message.push_str(&format!("; the attempt before: {code:?}: {cause}"));
        }
        let status = Status::new(Code::DeadlineExceeded, message);
        Failure::new(FailureKind::Deadline, status)
    }

    /// The call has ended with this code.
    pub(super) fn end(&mut self, code: Code) {
        self.code = code;
    }

    /// Tells all who observe the target or the call, and the interceptors.
    pub(super) fn observe<'a>(&'a self, event: impl FnOnce(&'a Method, &'a Context) -> Event<'a>) {
        let own = self.options.as_ref().and_then(|own| own.observers.as_ref());
        if own.is_none() && self.upstream.is_none() && self.passage.is_none() {
            return;
        }
        let event = event(self.method, &self.context);
        if let (Some(passage), Event::Attempt { .. }) = (&self.passage, &event) {
            passage.hear(&event);
        }
        for observers in self.upstream.iter().chain(own) {
            observers.observe(&event);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Nobody hears of it else.
        let Some(started) = self.started else {
            return;
        };
        let ended = clock::now();
        let elapsed = ended.saturating_duration_since(started);
        if let Some(passage) = &self.passage {
            passage.leave(self.method, &self.context, self.code, (ended, elapsed));
        }
        self.observe(|method, context| Event::Ended {
            side: Side::Client,
            method,
            context,
            code: self.code,
            elapsed,
        });
    }
}
