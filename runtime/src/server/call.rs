//! [`Call`]: one call on its way to the servicer, and [`Reply`], what comes back.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;

#[cfg(feature = "server")]
use super::guard::Place;
use super::request::RequestBody;
use crate::errors::{self, ServiceError};
use crate::interceptors::{Flow, Tally};
use crate::mapper::{ProtobufMapper, plain};
use crate::stream::{Inbound, Streamed, decode};
use crate::wire::compression::Compression;
use crate::wire::encode::{self, Encode, Source, Unencodable};
use crate::wire::frames::{FrameError, Frames, Piece};
use crate::{Code, Context, Method, Status};

/// One call, as a generated dispatch sees it.
///
/// The four kinds differ in what they read and what they answer; each is one function of
/// `Mapped`, and those of messages are the same with messages as their own entities.
pub struct Call {
    context: Context,
    method: &'static Method,
    body: Option<RequestBody>,
    max_message_size: usize,
}

/// One call of entities: [`Call::mapped`].
pub struct Mapped<'a, Q, R> {
    call: &'a mut Call,
    mappers: PhantomData<fn() -> (Q, R)>,
}

/// What a servicer's answer has become: frames and a status.
pub struct Reply {
    pub(crate) answer: Answer,
    /// The place of a detached call, on its way back from its task.
    #[cfg(feature = "server")]
    pub(super) place: Option<Box<Place>>,
}

pub(crate) enum Answer {
    Message(Bytes),
    // One box a streaming call, not a message.
    Stream(Box<dyn Source>),
    Failed(Status),
}

impl Call {
    pub(crate) fn new(
        context: Context,
        method: &'static Method,
        body: RequestBody,
        max_message_size: usize,
    ) -> Self {
        Self {
            context,
            method,
            body: Some(body),
            max_message_size,
        }
    }

    /// The name of the method, as the proto spells it.
    #[must_use]
    pub fn rpc(&self) -> &'static str {
        self.method.name()
    }

    /// The same call, of entities: `Q` maps the requests, `R` the replies.
    ///
    /// A request that isn't what its entity needs is [`DomainError::Validation`]. A reply that no
    /// message can say is INTERNAL; the log has the reason.
    ///
    /// [`DomainError::Validation`]: crate::DomainError::Validation
    pub fn mapped<Q, R>(&mut self, _requests: Q, _replies: R) -> Mapped<'_, Q, R>
    where
        Q: ProtobufMapper<Proto: Message + Default>,
        R: ProtobufMapper<Proto: Message>,
    {
        Mapped {
            call: self,
            mappers: PhantomData,
        }
    }

    /// One request, one reply.
    pub fn unary<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> impl Future<Output = Reply>
    where
        Q: Message + Default + Clone,
        R: Message + Clone,
        E: ServiceError,
        F: Future<Output = Result<R, E>> + Send,
        H: FnOnce(&'a Context, Q) -> F,
    {
        self.mapped(plain(), plain()).unary(handle)
    }

    /// One request, a stream of replies.
    pub fn server_stream<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> impl Future<Output = Reply>
    where
        Q: Message + Default + Clone,
        R: Message + Clone + 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R, E>, E>> + Send,
        H: FnOnce(&'a Context, Q) -> F,
    {
        self.mapped(plain(), plain()).server_stream(handle)
    }

    /// A stream of requests, one reply.
    pub fn client_stream<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> impl Future<Output = Reply>
    where
        Q: Message + Default + Clone,
        R: Message + Clone,
        E: ServiceError,
        F: Future<Output = Result<R, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q>) -> F,
    {
        self.mapped(plain(), plain()).client_stream(handle)
    }

    /// A stream of requests, a stream of replies.
    pub fn bidi<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> impl Future<Output = Reply>
    where
        Q: Message + Default + Clone,
        R: Message + Clone + 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R, E>, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q>) -> F,
    {
        self.mapped(plain(), plain()).bidi(handle)
    }

    /// The service has no such method.
    #[must_use]
    pub fn unimplemented(&self) -> Reply {
        let message = format!("`{}` is not implemented", self.method);
        let code = Code::Unimplemented;
        Reply::failed(errors::plain(
            code,
            errors::name(code),
            &message,
            &self.context,
        ))
    }

    /// What the kinds need of it.
    fn parts(&mut self) -> (&Context, Frames<RequestBody>) {
        // A second read of one call finds an empty body.
        let body = self
            .body
            .take()
            .unwrap_or_else(|| RequestBody::foreign(tonic::body::Body::empty()));
        let body = match self.method.is_detached() {
            true => body.until_over(&self.context),
            false => body,
        };
        let compression = self.context.requests_compression();
        let frames = Frames::new(body, self.max_message_size, compression);
        (&self.context, frames)
    }
}

impl<'a, Q, R> Mapped<'a, Q, R>
where
    Q: ProtobufMapper<Proto: Message + Default>,
    R: ProtobufMapper<Proto: Message>,
{
    /// One request, one reply.
    pub async fn unary<E, F, H>(self, handle: H) -> Reply
    where
        E: ServiceError,
        F: Future<Output = Result<R::Entity, E>> + Send,
        H: FnOnce(&'a Context, Q::Entity) -> F,
    {
        let (context, frames) = self.call.parts();
        match single::<Q>(frames, context).await {
            Ok(request) => Reply::message::<R, E>(context, handle(context, request).await),
            Err(status) => Reply::failed(status),
        }
    }

    /// One request, a stream of replies.
    pub async fn server_stream<E, F, H>(self, handle: H) -> Reply
    where
        R: 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R::Entity, E>, E>> + Send,
        H: FnOnce(&'a Context, Q::Entity) -> F,
    {
        let (context, frames) = self.call.parts();
        match single::<Q>(frames, context).await {
            Ok(request) => Reply::stream::<R, E>(context, handle(context, request).await),
            Err(status) => Reply::failed(status),
        }
    }

    /// A stream of requests, one reply.
    pub async fn client_stream<E, F, H>(self, handle: H) -> Reply
    where
        E: ServiceError,
        F: Future<Output = Result<R::Entity, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q::Entity>) -> F,
    {
        let (context, frames) = self.call.parts();
        let requests = Inbound::new::<Q>(frames, Tally::incoming(context, Flow::Received));
        Reply::message::<R, E>(context, handle(context, requests).await)
    }

    /// A stream of requests, a stream of replies.
    pub async fn bidi<E, F, H>(self, handle: H) -> Reply
    where
        R: 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R::Entity, E>, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q::Entity>) -> F,
    {
        let (context, frames) = self.call.parts();
        let requests = Inbound::new::<Q>(frames, Tally::incoming(context, Flow::Received));
        Reply::stream::<R, E>(context, handle(context, requests).await)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl<Q, R> fmt::Debug for Mapped<'_, Q, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

impl Reply {
    pub(crate) fn failed(status: Status) -> Self {
        Self::new(Answer::Failed(status))
    }

    fn new(answer: Answer) -> Self {
        Self {
            answer,
            #[cfg(feature = "server")]
            place: None,
        }
    }

    /// The same, at this place.
    #[cfg(feature = "server")]
    pub(super) fn at(mut self, place: Option<Box<Place>>) -> Self {
        self.place = place;
        self
    }

    fn message<R, E>(call: &Context, outcome: Result<R::Entity, E>) -> Self
    where
        R: ProtobufMapper<Proto: Message>,
        E: ServiceError,
    {
        let frame = match outcome {
            Ok(reply) => {
                let compression = call.replies_compression();
                encode::frame::<R>(reply, unless_forbidden(compression, call))
                    .map_err(|why| unencodable(call, why))
            }
            Err(error) => Err(failed(&error, call)),
        };
        if frame.is_ok() {
            call.trail().count(Flow::Sent, 1);
        }
        Self::new(frame.map_or_else(Answer::Failed, Answer::Message))
    }

    fn stream<R, E>(call: &Context, outcome: Result<Streamed<R::Entity, E>, E>) -> Self
    where
        R: ProtobufMapper<Proto: Message> + 'static,
        E: ServiceError,
    {
        Self::new(match outcome {
            Ok(replies) => {
                let compression = call.replies_compression();
                let (context, told) = (call.clone(), call.clone());
                let compression = move || unless_forbidden(compression, &told);
                let refuse = move |why| unencodable(&context, why);
                let replies = Statuses {
                    replies,
                    call: call.clone(),
                };
                Answer::Stream(Box::new(Encode::<R, _, _, _>::new(
                    replies,
                    compression,
                    refuse,
                    Tally::incoming(call, Flow::Sent),
                )))
            }
            Err(error) => Answer::Failed(failed(&error, call)),
        })
    }
}

/// What a reply is compressed as: nothing where its servicer says so.
fn unless_forbidden(compression: Option<Compression>, call: &Context) -> Option<Compression> {
    compression.filter(|_| !call.response().is_uncompressed())
}

/// The status that an error of a servicer leaves as.
#[cold]
fn failed<E: ServiceError>(error: &E, call: &Context) -> Status {
    errors::status(error, call)
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.answer {
            Answer::Message(_) => "Reply::Message",
            Answer::Stream(_) => "Reply::Stream",
            Answer::Failed(_) => "Reply::Failed",
        })
    }
}

/// What a call ends with whose reply can't be encoded. The reason is the service's own affair: it
/// goes to the log and not on the wire.
#[cold]
fn unencodable(call: &Context, why: Unencodable) -> Status {
    match why {
        Unencodable::Entity(error) => {
            errors::internal(&format_args!("a reply can't be encoded: {error}"), call)
        }
        Unencodable::TooLong(status) => status,
    }
}

/// Reads the one request of a call, and that there is no second.
///
/// Both are UNIMPLEMENTED, as gRPC's list of status codes has it: a caller that sends another number of
/// requests means another method.
async fn single<Q>(mut frames: Frames<RequestBody>, call: &Context) -> Result<Q::Entity, Status>
where
    Q: ProtobufMapper<Proto: Message + Default>,
{
    let Some(mut first) = next(&mut frames).await? else {
        return Err(Status::new(
            Code::Unimplemented,
            "the request ended without its message",
        ));
    };
    call.trail().count(Flow::Received, 1);
    if next(&mut frames).await?.is_some() {
        return Err(Status::new(
            Code::Unimplemented,
            "the request has a second message, and the method takes one",
        ));
    }
    decode::<Q>(Piece::from(&mut first)).map_err(|error| failed(&error.into_domain(), call))
}

async fn next(frames: &mut Frames<RequestBody>) -> Result<Option<Bytes>, Status> {
    match frames.next().await {
        None => Ok(None),
        Some(Ok(bytes)) => Ok(Some(bytes)),
        Some(Err(FrameError::Invalid(status))) => Err(status),
        Some(Err(FrameError::Open)) if !frames.body().tells_its_end() => Ok(None),
        Some(Err(FrameError::Cut(_) | FrameError::Open)) => Err(Status::new(
            Code::Cancelled,
            "the caller cancelled before its request ended",
        )),
    }
}

/// A servicer's replies, its errors as statuses.
struct Statuses<R, E> {
    replies: Streamed<R, E>,
    call: Context,
}

impl<R, E: ServiceError> Stream for Statuses<R, E> {
    type Item = Result<R, Status>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.replies).poll_next(cx));
        Poll::Ready(next.map(|reply| reply.map_err(|error| failed(&error, &self.call))))
    }
}
