//! [`Outgoing`]: one call on its way out, and what must happen once when it is over.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use tokio::time::{Instant, timeout_at};

use super::attempt::Way;
use super::body::RequestStream;
use super::effective::{EffectiveRetry, Limit};
use super::failure::{Failure, FailureKind};
use super::fallback::Fallback;
use super::info::CallInfo;
use super::options::CallOptions;
use super::runtime;
use super::trace::AttemptTrace;
use super::upstream::{MethodState, Upstream};
use crate::observe::{Event, Observers, Side};
use crate::wire::compression::Encodings;
use crate::wire::headers::MAX_METADATA;
use crate::wire::{headers, timeout};
use crate::{Code, Compression, Context, HedgingPolicy, Method, Status};

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
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
        let started = (observers.is_some() || own.is_some_and(|own| own.observers.is_some()))
            .then(Instant::now);
        let now = Instant::now();
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
            started,
            max_message_size: state.effective.max_message_size(max_message_size),
            // Who drops a call without an end has cancelled it.
            code: Code::Cancelled,
        };
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
    ) -> Request<RequestStream> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = Uri::from(PathAndQuery::from_static(self.method.path()));
        *request.headers_mut() = self.headers(previous, token);
        request
    }

    fn headers(&self, previous: u32, token: Option<HeaderValue>) -> HeaderMap {
        let mut map = match &self.options {
            Some(options) => options.metadata.clone().into_headers(),
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
            && let Some(id) = self.context.correlation_id()
            && let Ok(id) = HeaderValue::from_str(id)
        {
            map.insert(CORRELATION_ID, id);
        }
        map
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

    /// Tells all who observe the target or the call.
    pub(super) fn observe<'a>(&'a self, event: impl FnOnce(&'a Method, &'a Context) -> Event<'a>) {
        let own = self.options.as_ref().and_then(|own| own.observers.as_ref());
        if own.is_none() && self.upstream.is_none() {
            return;
        }
        let event = event(self.method, &self.context);
        for observers in self.upstream.iter().chain(own) {
            observers.observe(&event);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        let elapsed = self.started.map(|started| started.elapsed());
        self.observe(|method, context| Event::Ended {
            side: Side::Client,
            method,
            context,
            code: self.code,
            elapsed: elapsed.unwrap_or_default(),
        });
    }
}
