//! [`Outgoing`]: one call on its way out, and what must happen once when it is over.

use std::sync::Arc;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use tokio::time::{Instant, timeout_at};

use super::body::RequestStream;
use super::error::CallError;
use super::failure::{Failure, FailureKind};
use super::info::CallInfo;
use super::options::CallOptions;
use super::transport::{Progress, TransportError};
use crate::observe::{Event, Observers, Side};
use crate::wire::compression::Encodings;
use crate::wire::headers::MAX_METADATA;
use crate::wire::{DEFAULT_MAX_MESSAGE_SIZE, headers, timeout};
use crate::{Code, Context, Method, Status};

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// One call on its way out: what it was started with. Dropping it ends the call: observers hear the
/// final code.
pub(super) struct Outgoing {
    pub(super) context: Context,
    pub(super) deadline: Option<Instant>,
    method: &'static Method,
    options: Option<Arc<CallOptions>>,
    started: Option<Instant>,
    code: Code,
}

impl Outgoing {
    /// Whatever can fail before anything is sent.
    pub(super) fn start(
        ctx: &Context,
        method: &'static Method,
        options: Option<Arc<CallOptions>>,
    ) -> Result<Self, Failure> {
        let mut call = Self::new(ctx, method, options);
        match call.unsendable() {
            None => Ok(call),
            Some(failure) => {
                call.end(failure.status().code());
                Err(failure)
            }
        }
    }

    fn new(ctx: &Context, method: &'static Method, options: Option<Arc<CallOptions>>) -> Self {
        let own = options.as_ref().and_then(|options| options.deadline);
        let context = match own {
            Some(own) => ctx.with_timeout(own),
            None => ctx.clone(),
        };
        let call = Self {
            deadline: context.deadline(),
            context,
            method,
            started: observers(options.as_ref()).map(|_| Instant::now()),
            options,
            // Who drops a call without an end has cancelled it.
            code: Code::Cancelled,
        };
        if let Some(info) = call.info() {
            info.start();
        }
        if let Some(observers) = observers(call.options.as_ref()) {
            observers.observe(&Event::Started {
                side: Side::Client,
                method,
                context: &call.context,
            });
        }
        call
    }

    /// Why there is no use in sending it.
    fn unsendable(&self) -> Option<Failure> {
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

    pub(super) fn info(&self) -> Option<&CallInfo> {
        self.options.as_ref()?.info.as_ref()
    }

    pub(super) fn max_message_size(&self) -> usize {
        self.options
            .as_ref()
            .map_or(DEFAULT_MAX_MESSAGE_SIZE, |options| options.max_message_size)
    }

    /// The call as an HTTP request with this body.
    pub(super) fn request(&self, body: RequestStream) -> Request<RequestStream> {
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = Uri::from(PathAndQuery::from_static(self.method.path()));
        *request.headers_mut() = self.headers();
        request
    }

    fn headers(&self) -> HeaderMap {
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
        if let Some(deadline) = self.deadline {
            let remaining = deadline.saturating_duration_since(Instant::now());
            map.insert(timeout::GRPC_TIMEOUT, timeout::write(remaining));
        }
        // One that was set for this call is meant.
        if !map.contains_key(CORRELATION_ID)
            && let Some(id) = self.context.correlation_id()
            && let Ok(id) = HeaderValue::from_str(id)
        {
            map.insert(CORRELATION_ID, id);
        }
        map
    }

    /// The request was handed to the transport, which failed so, or didn't.
    pub(super) fn attempted(&self, error: Option<&TransportError>) {
        if let Some(info) = self.info()
            && error.is_none_or(|error| error.progress() != Progress::Unsent)
        {
            info.attempt();
        }
    }

    /// Runs `exchange` until the deadline, and no longer than the call that this one is made in.
    pub(super) async fn limit<R, E>(
        &self,
        exchange: impl Future<Output = Result<R, CallError<E>>>,
    ) -> Result<R, CallError<E>> {
        let limited = async {
            match self.deadline {
                Some(deadline) => match timeout_at(deadline, exchange).await {
                    Ok(result) => result,
                    Err(_) => Err(Failure::deadline().into()),
                },
                None => exchange.await,
            }
        };
        if !self.context.is_cancellable() {
            return limited.await;
        }
        tokio::select! {
            // An answer that is there counts, even if the caller is gone by now.
            biased;
            result = limited => result,
            () = self.context.cancelled() => Err(Failure::cancelled().into()),
        }
    }

    /// The call has ended with this code.
    pub(super) fn end(&mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(observers) = observers(self.options.as_ref()) {
            observers.observe(&Event::Ended {
                side: Side::Client,
                method: self.method,
                context: &self.context,
                code: self.code,
                elapsed: self
                    .started
                    .map(|started| started.elapsed())
                    .unwrap_or_default(),
            });
        }
    }
}

fn observers(options: Option<&Arc<CallOptions>>) -> Option<&Arc<Observers>> {
    options?.observers.as_ref()
}
