//! [`Caller`]: makes the calls of a stub.

use std::fmt;
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_core::Stream;
use prost::Message;
use tokio::time::sleep;

use super::attempt::Attempt;
use super::attempts::Attempts;
use super::breaker::Breaker;
use super::error::CallError;
use super::failure::Failure;
use super::options::CallOptions;
use super::outgoing::Outgoing;
use super::reader::{self, Reader};
use super::replies::Replies;
use super::requests::{Requests, unencodable, unless_failed};
use super::setback::Setback;
use super::transport::Transport;
use super::upstream::{MethodState, ServiceState, Upstream};
use crate::errors::ServiceError;
use crate::interceptors::Flow;
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
    upstream: Arc<Upstream>,
    service: Arc<ServiceState>,
    // None for the stubs that nothing is set for, which are most.
    options: Option<Arc<CallOptions>>,
}

/// Makes calls of entities: [`Caller::mapped`].
pub struct MappedCaller<'a, T, Q, R> {
    caller: &'a Caller<T>,
    mappers: PhantomData<fn() -> (Q, R)>,
}

impl<T: Transport> Caller<T> {
    /// Calls the `methods` of a service over `transport`.
    ///
    /// Stubs of the same service over clones of one [`Channel`](super::Channel) share their circuit
    /// breakers and throttles; over another transport each has its own.
    #[must_use]
    pub fn new(transport: T, methods: &'static [Method]) -> Self {
        let upstream = match transport.upstream() {
            Some(upstream) => Arc::clone(upstream),
            None => Arc::default(),
        };
        Self {
            service: upstream.service(methods),
            upstream,
            transport,
            options: None,
        }
    }

    /// The same, with `options` in place of earlier ones.
    #[must_use]
    pub fn with(&self, options: CallOptions) -> Self {
        Self {
            options: Some(Arc::new(options)),
            ..self.clone()
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

    /// What is known of a method of the service, and a call of it that begins.
    fn start(
        &self,
        ctx: &Context,
        method: &'static Method,
    ) -> Result<(Outgoing, &MethodState), Failure> {
        let state = self.service.method(method)?;
        let options = self.options.clone();
        let call = Outgoing::start(ctx, method, options, &self.upstream, state)?;
        Ok((call, state))
    }

    /// Sends the requests once, and waits for the head of an answer.
    async fn open(
        &self,
        call: &Outgoing,
        requests: &Requests,
        attempt: &mut Attempt,
        previous: u32,
    ) -> Result<Reader<T::Body>, Setback> {
        let token = match self.upstream.credentials() {
            Some(credentials) if !call.has_token() => {
                let bearer = credentials.bearer(self.upstream.is_secure()).await?;
                attempt.set_token(bearer.number);
                Some(bearer.header)
            }
            _ => None,
        };
        let request = call.request(requests.body(), previous, token, attempt);
        attempt.give();
        let sent = self.transport.send(request, attempt).await;
        let response = sent.map_err(|error| Setback::broken(error, call.deadline))?;
        let opened = Reader::open(response, call);
        let reader = opened.inspect_err(|setback| self.heed(setback, attempt))?;
        requests.commit();
        Ok(reader)
    }

    /// A server that doesn't know who calls has refused the token that it was sent.
    fn heed(&self, setback: &Setback, attempt: &Attempt) {
        if let Setback::Status { status, .. } = setback
            && status.code() == Code::Unauthenticated
            && let Some(credentials) = self.upstream.credentials()
        {
            credentials.refused(attempt.token());
        }
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
        let (mut call, state) = self.caller.start(ctx, method)?;
        let requests = encode::<Q>(&mut call, request)?;
        self.single(call, state, requests).await
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
        let (mut call, state) = self.caller.start(ctx, method)?;
        let requests = encode::<Q>(&mut call, request)?;
        self.streamed(call, state, requests).await
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
        let (call, state) = self.caller.start(ctx, method)?;
        let (compression, tally) = (call.compression(), call.tally(Flow::Sent));
        let requests = Requests::stream::<Q>(requests, compression, tally);
        self.single(call, state, requests).await
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
        let (call, state) = self.caller.start(ctx, method)?;
        let (compression, tally) = (call.compression(), call.tally(Flow::Sent));
        let requests = Requests::stream::<Q>(requests, compression, tally);
        self.streamed(call, state, requests).await
    }

    /// Sends the requests until one reply is read, or nothing more is to be done.
    async fn single<E: ServiceError>(
        &self,
        mut call: Outgoing,
        state: &MethodState,
        requests: Requests,
    ) -> Result<R::Entity, CallError<E>> {
        let mut attempts = Attempts::new(&call, state, |breaker| &**breaker);
        let exchange = async {
            let result = self.attempt_single(&call, &requests, &mut attempts).await;
            let Err(setback) = result else {
                return result;
            };
            let Some(fallback) = attempts.fallback(&setback, &requests) else {
                return Err(setback);
            };
            let (attempt, previous) = attempts.next();
            // Boxed, as hedging is.
            let fallen = {
                let fallen = async {
                    let request = call.request(requests.body(), previous, None, attempt);
                    let way = fallback.send(request, attempt);
                    let mut reader = Reader::open(way.await?, &call)?;
                    reader::single::<R, _>(&mut reader).await
                };
                Box::pin(unless_failed(&requests, fallen))
            };
            let result = fallen.await;
            attempts.fell_back(result)
        };
        // In place: what takes a future by value has room for it twice, and moves it.
        let limited = call.limit(call.carry(pin!(exchange))).await;
        let result = attempts.conclude(limited);
        drop(attempts);
        call.end(result.as_ref().map_or_else(CallError::code, |_| Code::Ok));
        result
    }

    /// All attempts of a call with one reply.
    async fn attempt_single(
        &self,
        call: &Outgoing,
        requests: &Requests,
        attempts: &mut Attempts<'_, &Breaker>,
    ) -> Result<R::Entity, Setback> {
        if let Some(policy) = attempts.hedging(requests) {
            let begin = async |mut attempt: Attempt, previous| {
                let result = self.one(call, requests, &mut attempt, previous).await;
                (attempt, result)
            };
            // Boxed: few calls are hedged, and all would be as large.
            let result = Box::pin(attempts.hedge(policy, begin)).await;
            return attempts.hedged(result);
        }
        loop {
            attempts.begin()?;
            let limit = attempts.limit();
            let (attempt, previous) = attempts.next();
            let result = {
                let attempt = self.one(call, requests, attempt, previous);
                limit.run(unless_failed(requests, pin!(attempt))).await
            };
            match attempts.settle(result, requests) {
                ControlFlow::Break(result) => return result,
                ControlFlow::Continue(delay) => wait(delay).await,
            }
        }
    }

    /// All attempts of a call with a stream of replies, until one has an answer that begins.
    async fn attempt_stream(
        &self,
        call: &Outgoing,
        requests: &Requests,
        attempts: &mut Attempts<'_, Arc<Breaker>>,
    ) -> Result<Reader<T::Body>, Setback> {
        if let Some(policy) = attempts.hedging(requests) {
            let begin = async |mut attempt: Attempt, previous| {
                let opened = self.caller.open(call, requests, &mut attempt, previous);
                let result = opened.await;
                (attempt, result)
            };
            return Box::pin(attempts.hedge(policy, begin)).await;
        }
        loop {
            attempts.begin()?;
            let limit = attempts.limit();
            let (attempt, previous) = attempts.next();
            // Without variables: a future would have room for them while it waits for the next attempt.
            let setback = match limit
                .run(unless_failed(
                    requests,
                    pin!(self.caller.open(call, requests, attempt, previous)),
                ))
                .await
            {
                Ok(reader) => return Ok(reader),
                Err(setback) => setback,
            };
            match attempts.failed(setback, requests) {
                ControlFlow::Break(setback) => return Err(setback),
                ControlFlow::Continue(delay) => wait(delay).await,
            }
        }
    }

    /// Sends the requests once and reads the one reply.
    async fn one(
        &self,
        call: &Outgoing,
        requests: &Requests,
        attempt: &mut Attempt,
        previous: u32,
    ) -> Result<R::Entity, Setback> {
        let mut reader = self.caller.open(call, requests, attempt, previous).await?;
        let read = reader::single::<R, _>(&mut reader).await;
        read.inspect_err(|setback| self.caller.heed(setback, attempt))
    }

    /// Sends the requests until the head of an answer is there, or nothing more is to be done; the
    /// replies are read later.
    async fn streamed<E: ServiceError>(
        &self,
        mut call: Outgoing,
        state: &MethodState,
        requests: Requests,
    ) -> Result<Replies<R::Entity, E>, CallError<E>> {
        let mut attempts = Attempts::new(&call, state, Arc::clone);
        let exchange = async {
            let setback = match self.attempt_stream(&call, &requests, &mut attempts).await {
                Ok(reader) => {
                    attempts.opened();
                    return Ok(reader.any());
                }
                Err(setback) => setback,
            };
            let Some(fallback) = attempts.fallback(&setback, &requests) else {
                return Err(setback);
            };
            let (attempt, previous) = attempts.next();
            let fallen = {
                let fallen = async {
                    let request = call.request(requests.body(), previous, None, attempt);
                    let way = fallback.send(request, attempt);
                    Reader::open(way.await?, &call)
                };
                Box::pin(unless_failed(&requests, fallen))
            };
            let result = fallen.await;
            if result.is_ok() {
                attempts.opened();
                return result;
            }
            attempts.fell_back(result)
        };
        // In place: what takes a future by value has room for it twice, and moves it.
        let limited = call.limit(call.carry(pin!(exchange))).await;
        let result = attempts.conclude(limited);
        let open = attempts.into_open();
        match result {
            Ok(reader) => Ok(Replies::new::<R>(reader, call, requests, open)),
            Err(error) => {
                call.end(CallError::code(&error));
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

/// Waits before the next attempt: a timer for now is one for the next millisecond.
async fn wait(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

/// The request of a call that has one.
fn encode<Q>(call: &mut Outgoing, request: Q::Entity) -> Result<Requests, Failure>
where
    Q: ProtobufMapper<Proto: Message>,
{
    match frame::<Q>(request, call.compression()) {
        Ok(frame) => Ok(Requests::One(frame)),
        Err(why) => {
            let status = unencodable(why);
            call.end(status.code());
            Err(Failure::encode(status))
        }
    }
}
