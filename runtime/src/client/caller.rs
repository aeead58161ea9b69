//! [`Caller`]: makes the calls of a stub.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use futures_core::Stream;
use prost::Message;

use super::attempt::Attempt;
use super::body::{HoldsRequests, RequestStream, unencodable, unless_failed};
use super::error::CallError;
use super::failure::Failure;
use super::options::CallOptions;
use super::outgoing::Outgoing;
use super::reader::{self, Reader};
use super::replies::Replies;
use super::transport::Transport;
use crate::errors::ServiceError;
use crate::mapper::{ProtobufMapper, plain};
use crate::wire::encode::frame;
use crate::{Code, Context, Method};

/// Makes the calls of a stub over a [`Transport`], each under its deadline.
///
/// The four kinds differ in what they send and what they read; each is one function of
/// [`MappedCaller`], and those of messages are the same with messages as their own entities.
#[derive(Clone, Debug)]
pub struct Caller<T> {
    transport: T,
    // None for the stubs that nothing is set for, which are most.
    options: Option<Arc<CallOptions>>,
}

/// Makes calls of entities: [`Caller::mapped`].
pub struct MappedCaller<'a, T, Q, R> {
    caller: &'a Caller<T>,
    mappers: PhantomData<fn() -> (Q, R)>,
}

impl<T> Caller<T> {
    /// Calls the `methods` of a service over `transport`.
    #[must_use]
    pub fn new(transport: T, methods: &'static [Method]) -> Self {
        let _ = methods;
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

    /// The same calls, of entities: `Q` maps the requests, `R` the replies.
    ///
    /// A request that no message can say is a [`Failure`] of the kind
    /// [`Encode`](super::FailureKind::Encode), a reply that isn't what its entity needs one of the
    /// kind [`Decode`](super::FailureKind::Decode); both say where.
    pub fn mapped<Q, R>(&self, _requests: Q, _replies: R) -> MappedCaller<'_, T, Q, R>
    where
        Q: ProtobufMapper<Proto: Message>,
        R: ProtobufMapper<Proto: Message + Default>,
    {
        MappedCaller {
            caller: self,
            mappers: PhantomData,
        }
    }

    /// One request, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub fn unary<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        request: Q,
    ) -> impl Future<Output = Result<R, CallError<E>>>
    where
        Q: Message + Clone,
        R: Message + Default + Clone,
        E: ServiceError,
    {
        self.mapped(plain(), plain()).unary(ctx, method, request)
    }

    /// One request, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub fn server_stream<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        request: Q,
    ) -> impl Future<Output = Result<Replies<R, E>, CallError<E>>>
    where
        Q: Message + Clone,
        R: Message + Default + Clone,
        E: ServiceError,
    {
        self.mapped(plain(), plain())
            .server_stream(ctx, method, request)
    }

    /// A stream of requests, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub fn client_stream<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> impl Future<Output = Result<R, CallError<E>>>
    where
        Q: Message + Clone + 'static,
        R: Message + Default + Clone,
        E: ServiceError,
    {
        self.mapped(plain(), plain())
            .client_stream(ctx, method, requests)
    }

    /// A stream of requests, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub fn bidi<Q, R, E>(
        &self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q> + Send + 'static,
    ) -> impl Future<Output = Result<Replies<R, E>, CallError<E>>>
    where
        Q: Message + Clone + 'static,
        R: Message + Default + Clone,
        E: ServiceError,
    {
        self.mapped(plain(), plain()).bidi(ctx, method, requests)
    }

    async fn open<E: ServiceError>(
        &self,
        call: &Outgoing,
        body: RequestStream,
    ) -> Result<Reader<T::Body>, CallError<E>> {
        let sent = self
            .transport
            .send(call.request(body), &mut Attempt::first())
            .await;
        call.attempted(sent.as_ref().err());
        Reader::open(sent.map_err(Failure::transport)?, call)
    }
}

impl<T, Q, R> MappedCaller<'_, T, Q, R>
where
    T: Transport,
    Q: ProtobufMapper<Proto: Message>,
    R: ProtobufMapper<Proto: Message + Default>,
{
    /// One request, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub async fn unary<E>(
        self,
        ctx: &Context,
        method: &'static Method,
        request: Q::Entity,
    ) -> Result<R::Entity, CallError<E>>
    where
        E: ServiceError,
    {
        let mut call = Outgoing::start(ctx, method, self.caller.options.clone())?;
        let body = encode::<Q>(&mut call, request)?;
        self.single(call, body, None).await
    }

    /// One request, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub async fn server_stream<E>(
        self,
        ctx: &Context,
        method: &'static Method,
        request: Q::Entity,
    ) -> Result<Replies<R::Entity, E>, CallError<E>>
    where
        E: ServiceError,
    {
        let mut call = Outgoing::start(ctx, method, self.caller.options.clone())?;
        let body = encode::<Q>(&mut call, request)?;
        self.streamed(call, body, None).await
    }

    /// A stream of requests, one reply.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the reply away.
    pub async fn client_stream<E>(
        self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q::Entity> + Send + 'static,
    ) -> Result<R::Entity, CallError<E>>
    where
        Q: 'static,
        E: ServiceError,
    {
        let call = Outgoing::start(ctx, method, self.caller.options.clone())?;
        let (body, held) = RequestStream::stream::<Q>(requests);
        self.single(call, body, Some(held)).await
    }

    /// A stream of requests, a stream of replies.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that kept the replies away.
    pub async fn bidi<E>(
        self,
        ctx: &Context,
        method: &'static Method,
        requests: impl Stream<Item = Q::Entity> + Send + 'static,
    ) -> Result<Replies<R::Entity, E>, CallError<E>>
    where
        Q: 'static,
        E: ServiceError,
    {
        let call = Outgoing::start(ctx, method, self.caller.options.clone())?;
        let (body, held) = RequestStream::stream::<Q>(requests);
        self.streamed(call, body, Some(held)).await
    }

    /// Sends a request and reads the one reply.
    async fn single<E: ServiceError>(
        &self,
        mut call: Outgoing,
        body: RequestStream,
        mut requests: Option<HoldsRequests>,
    ) -> Result<R::Entity, CallError<E>> {
        let exchange = async {
            let mut reader = self.caller.open(&call, body).await?;
            reader::single::<R, _, E>(&mut reader).await
        };
        let exchange = unless_failed(requests.as_mut(), exchange);
        let result = call.limit(exchange).await;
        call.end(result.as_ref().map_or_else(CallError::code, |_| Code::Ok));
        result
    }

    /// Sends a request and waits for the head of the answer; the replies are read later.
    async fn streamed<E: ServiceError>(
        &self,
        mut call: Outgoing,
        body: RequestStream,
        mut requests: Option<HoldsRequests>,
    ) -> Result<Replies<R::Entity, E>, CallError<E>> {
        let exchange = unless_failed(requests.as_mut(), self.caller.open(&call, body));
        match call.limit(exchange).await {
            Ok(reader) => Ok(Replies::new::<R>(reader.any(), call, requests)),
            Err(error) => {
                call.end(error.code());
                Err(error)
            }
        }
    }
}

impl<T, Q, R> fmt::Debug for MappedCaller<'_, T, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MappedCaller").finish_non_exhaustive()
    }
}

/// The body of a request that is one entity.
fn encode<Q>(call: &mut Outgoing, request: Q::Entity) -> Result<RequestStream, Failure>
where
    Q: ProtobufMapper<Proto: Message>,
{
    match frame::<Q>(request, None) {
        Ok(frame) => Ok(RequestStream::message(frame)),
        Err(why) => {
            let status = unencodable(why);
            call.end(status.code());
            Err(Failure::encode(status))
        }
    }
}
