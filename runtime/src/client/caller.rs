//! [`Caller`]: makes the calls of a stub.

use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;

use super::body::RequestStream;
use super::error::CallError;
use super::failure::Failure;
use super::options::CallOptions;
use super::outgoing::Outgoing;
use super::reader::{self, Reader};
use super::replies::Replies;
use super::transport::Transport;
use crate::errors::ServiceError;
use crate::wire::encode;
use crate::{Code, Context, Method};

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
        let call = Outgoing::start(ctx, method, self.options.clone())?;
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
        let call = Outgoing::start(ctx, method, self.options.clone())?;
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
        let mut call = Outgoing::start(ctx, method, self.options.clone())?;
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
        let mut call = Outgoing::start(ctx, method, self.options.clone())?;
        let body = call.holding(RequestStream::stream(requests));
        self.streamed(call, body).await
    }

    /// Sends a request and reads the one reply.
    async fn single<R, E>(&self, mut call: Outgoing, body: RequestStream) -> Result<R, CallError<E>>
    where
        R: Message + Default,
        E: ServiceError,
    {
        let exchange = async {
            let mut reader = self.open(&call, body).await?;
            reader::single(&mut reader).await
        };
        let result = call.limit(exchange).await;
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
        match call.limit(self.open(&call, body)).await {
            Ok(reader) => Ok(Replies::new(reader.any(), call)),
            Err(error) => {
                call.end(error.code());
                Err(error)
            }
        }
    }

    async fn open<E: ServiceError>(
        &self,
        call: &Outgoing,
        body: RequestStream,
    ) -> Result<Reader<T::Body>, CallError<E>> {
        let sent = self.transport.send(call.request(body)).await;
        call.attempted(sent.as_ref().err());
        Reader::open(sent.map_err(Failure::transport)?, call)
    }
}

fn encode_request<Q: Message>(request: &Q) -> Result<Bytes, Failure> {
    encode::frame(request).map_err(Failure::encode)
}
