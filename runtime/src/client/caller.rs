//! [`Caller`]: makes the calls of a stub.

use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use prost::Message;
use tokio::time::{Instant, timeout_at};

use super::body::{HoldsRequests, RequestStream};
use super::error::CallError;
use super::failure::{Failure, FailureKind};
use super::info::CallInfo;
use super::options::CallOptions;
use super::reader::{self, Reader};
use super::replies::Replies;
use super::transport::Transport;
use crate::errors::ServiceError;
use crate::observe::{Event, Observers, Side};
use crate::wire::headers::MAX_METADATA;
use crate::wire::{DEFAULT_MAX_MESSAGE_SIZE, encode, headers, timeout};
use crate::{Code, Context, Method, Status};

/// Makes the calls of a stub over a [`Transport`], each under its deadline.
///
/// The four kinds differ in what they send and what they read; each is one function here.
#[derive(Clone, Debug)]
pub struct Caller<T> {
    transport: T,
    // None for the stubs that nothing is set for, which are most.
    options: Option<Arc<CallOptions>>,
}

impl<T> Caller<T> {
    /// Calls over `transport`.
    #[must_use]
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            options: None,
        }
    }
}

impl<T: Transport> Caller<T> {
    /// The same, with `options` in place of earlier ones.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            transport: self.transport.clone(),
            options: Some(Arc::new(options)),
        }
    }

    /// One request, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub async fn unary<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        request: Q,
    ) -> Result<R, CallError<E>>
    where
        Q: Message,
        R: Message + Default,
        E: ServiceError,
    {
        let call = self.start(ctx, method)?;
        let body = RequestStream::message(encode_request(&request)?);
        drop(request);
        self.single(call, body).await
    }

    /// One request, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub async fn server_stream<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        request: Q,
    ) -> Result<Replies<R, E>, CallError<E>>
    where
        Q: Message,
        R: Message + Default,
        E: ServiceError,
    {
        let call = self.start(ctx, method)?;
        let body = RequestStream::message(encode_request(&request)?);
        drop(request);
        self.streamed(call, body).await
    }

    /// A stream of requests, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub async fn client_stream<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<R, CallError<E>>
    where
        Q: Message + 'static,
        R: Message + Default,
        E: ServiceError,
    {
        let mut call = self.start(ctx, method)?;
        let body = call.holding(RequestStream::stream(requests));
        self.single(call, body).await
    }

    /// A stream of requests, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub async fn bidi<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> Result<Replies<R, E>, CallError<E>>
    where
        Q: Message + 'static,
        R: Message + Default,
        E: ServiceError,
    {
        let mut call = self.start(ctx, method)?;
        let body = call.holding(RequestStream::stream(requests));
        self.streamed(call, body).await
    }

    /// Whatever can fail before anything is sent.
    fn start(&self, ctx: &Context, method: &'static Method) -> Result<Outgoing, Failure> {
        let call = Outgoing::new(ctx, method, self.options.clone());
        if call
            .deadline
            .is_some_and(|deadline| deadline <= Instant::now())
        {
            let status = Status::new(Code::DeadlineExceeded, "no time is left for the call");
            return Err(call.fail(Failure::unsent(FailureKind::Deadline, status)));
        }
        if let Some(wrong) = call
            .options
            .as_ref()
            .and_then(|options| options.wrong.as_ref())
        {
            let status = Status::new(Code::Internal, wrong.to_string());
            return Err(call.fail(Failure::encode(status)));
        }
        let metadata = call
            .options
            .as_ref()
            .map_or(0, |options| headers::size(options.metadata.as_ref()));
        if metadata > MAX_METADATA {
            let message = format!(
                "the call's metadata takes {metadata} bytes, and servers take {MAX_METADATA}"
            );
            let status = Status::new(Code::Internal, message);
            return Err(call.fail(Failure::encode(status)));
        }
        Ok(call)
    }

    /// Sends a request and reads the one reply.
    async fn single<R, E>(&self, mut call: Outgoing, body: RequestStream) -> Result<R, CallError<E>>
    where
        R: Message + Default,
        E: ServiceError,
    {
        let request = call.request(body)?;
        let exchange = async {
            let response = self
                .transport
                .send(request)
                .await
                .map_err(Failure::transport)?;
            let mut reader = Reader::open(response, &call)?;
            reader::single(&mut reader).await
        };
        let result = match within(&call.context, call.deadline, exchange).await {
            Ok(result) => result,
            Err(failure) => Err(failure.into()),
        };
        call.end(result.as_ref().map_or_else(CallError::code, |_| Code::Ok));
        result
    }

    /// Sends a request and waits for the head of the answer; the replies are read later.
    async fn streamed<R, E>(
        &self,
        mut call: Outgoing,
        body: RequestStream,
    ) -> Result<Replies<R, E>, CallError<E>>
    where
        R: Message + Default,
        E: ServiceError,
    {
        let request = call.request(body)?;
        let exchange = async {
            let response = self
                .transport
                .send(request)
                .await
                .map_err(Failure::transport)?;
            Reader::open(response, &call)
        };
        let opened = match within(&call.context, call.deadline, exchange).await {
            Ok(result) => result,
            Err(failure) => Err(failure.into()),
        };
        match opened {
            Ok(reader) => Ok(Replies::new(reader.any(), call)),
            Err(error) => {
                call.end(error.code());
                Err(error)
            }
        }
    }
}

/// One call on its way out: what it was started with, and what ends with it.
pub(super) struct Outgoing {
    pub(super) context: Context,
    pub(super) deadline: Option<Instant>,
    method: &'static Method,
    options: Option<Arc<CallOptions>>,
    started: Option<Instant>,
    code: Code,
    requests: Option<HoldsRequests>,
}

impl Outgoing {
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
            requests: None,
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

    pub(super) fn info(&self) -> Option<&CallInfo> {
        self.options.as_ref()?.info.as_ref()
    }

    pub(super) fn max_message_size(&self) -> usize {
        self.options
            .as_ref()
            .map_or(DEFAULT_MAX_MESSAGE_SIZE, |options| options.max_message_size)
    }

    /// The call has ended with this code.
    pub(super) fn end(&mut self, code: Code) {
        self.code = code;
    }

    /// The requests of this call: what is left of them when it ends is not sent.
    fn holding(&mut self, (body, held): (RequestStream, HoldsRequests)) -> RequestStream {
        self.requests = Some(held);
        body
    }

    fn fail(mut self, failure: Failure) -> Failure {
        self.code = failure.status().code();
        failure
    }

    fn request(&mut self, body: RequestStream) -> Result<Request<RequestStream>, Failure> {
        if let Some(info) = self.info() {
            info.attempt();
        }
        let mut request = Request::new(body);
        *request.method_mut() = http::Method::POST;
        *request.version_mut() = http::Version::HTTP_2;
        *request.uri_mut() = Uri::from(PathAndQuery::from_static(self.method.path()));
        *request.headers_mut() = self.headers();
        Ok(request)
    }

    fn headers(&self) -> HeaderMap {
        let mut map = match &self.options {
            Some(options) => options.metadata.clone().into_headers(),
            None => HeaderMap::with_capacity(8),
        };
        map.insert(header::TE, headers::TRAILERS);
        map.insert(header::CONTENT_TYPE, headers::GRPC);
        map.insert(header::USER_AGENT, headers::USER_AGENT);
        if let Some(deadline) = self.deadline {
            let remaining = deadline.saturating_duration_since(Instant::now());
            map.insert(timeout::GRPC_TIMEOUT, timeout::write(remaining));
        }
        if let Some(id) = self.context.correlation_id()
            && let Ok(id) = HeaderValue::from_str(id)
        {
            map.insert("x-correlation-id", id);
        }
        map
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

fn encode_request<Q: Message>(request: &Q) -> Result<Bytes, Failure> {
    encode::frame(request).map_err(Failure::encode)
}

/// Runs `call` until the deadline, and no longer than the call that it is made in.
async fn within<F: Future>(
    ctx: &Context,
    deadline: Option<Instant>,
    call: F,
) -> Result<F::Output, Failure> {
    let limited = async {
        match deadline {
            Some(deadline) => timeout_at(deadline, call)
                .await
                .map_err(|_| Failure::deadline()),
            None => Ok(call.await),
        }
    };
    if !ctx.is_cancellable() {
        return limited.await;
    }
    tokio::select! {
        // An answer that is there counts, even if the caller is gone by now.
        biased;
        result = limited => result,
        () = ctx.cancelled() => Err(Failure::cancelled()),
    }
}
