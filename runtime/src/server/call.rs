//! [`Call`]: one call on its way to the servicer, and [`Reply`], what comes back.

use std::fmt;

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;

use super::request::RequestBody;
use crate::errors::ServiceError;
use crate::stream::{Inbound, InboundError, Streamed};
use crate::wire::encode::{self, Encode, Source};
use crate::wire::frames::{FrameError, Frames};
use crate::{Code, Context, Method, Status};

/// One call, as a generated dispatch sees it.
///
/// The four kinds differ in what they read and what they answer; each is one function here.
pub struct Call {
    context: Context,
    method: &'static Method,
    body: Option<RequestBody>,
    max_message_size: usize,
}

/// What a servicer's answer has become: frames and a status.
pub struct Reply(pub(crate) Answer);

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

    /// One request, one reply.
    pub async fn unary<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> Reply
    where
        Q: Message + Default,
        R: Message,
        E: ServiceError,
        F: Future<Output = Result<R, E>> + Send,
        H: FnOnce(&'a Context, Q) -> F,
    {
        let frames = self.frames();
        match single(frames).await {
            Ok(request) => Reply::message(handle(&self.context, request).await),
            Err(status) => Reply::failed(status),
        }
    }

    /// One request, a stream of replies.
    pub async fn server_stream<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> Reply
    where
        Q: Message + Default,
        R: Message + 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R, E>, E>> + Send,
        H: FnOnce(&'a Context, Q) -> F,
    {
        let frames = self.frames();
        match single(frames).await {
            Ok(request) => Reply::stream(handle(&self.context, request).await),
            Err(status) => Reply::failed(status),
        }
    }

    /// A stream of requests, one reply.
    pub async fn client_stream<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> Reply
    where
        Q: Message + Default,
        R: Message,
        E: ServiceError,
        F: Future<Output = Result<R, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q>) -> F,
    {
        let requests = Inbound::new(self.frames());
        Reply::message(handle(&self.context, requests).await)
    }

    /// A stream of requests, a stream of replies.
    pub async fn bidi<'a, Q, R, E, F, H>(&'a mut self, handle: H) -> Reply
    where
        Q: Message + Default,
        R: Message + 'static,
        E: ServiceError,
        F: Future<Output = Result<Streamed<R, E>, E>> + Send,
        H: FnOnce(&'a Context, Inbound<Q>) -> F,
    {
        let requests = Inbound::new(self.frames());
        Reply::stream(handle(&self.context, requests).await)
    }

    /// The service has no such method.
    #[must_use]
    pub fn unimplemented(&self) -> Reply {
        Reply::failed(Status::new(
            Code::Unimplemented,
            format!("`{}` is not implemented", self.method),
        ))
    }

    fn frames(&mut self) -> Frames<RequestBody> {
        // A second read of one call finds an empty body.
        let body = self
            .body
            .take()
            .unwrap_or_else(|| RequestBody::foreign(tonic::body::Body::empty()));
        Frames::new(body, self.max_message_size)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn failed(status: Status) -> Self {
        Self(Answer::Failed(status))
    }

    fn message<R: Message, E: ServiceError>(outcome: Result<R, E>) -> Self {
        let frame = outcome
            .map_err(ServiceError::into_status)
            .and_then(|message| encode::frame(&message));
        Self(frame.map_or_else(Answer::Failed, Answer::Message))
    }

    fn stream<R, E>(outcome: Result<Streamed<R, E>, E>) -> Self
    where
        R: Message + 'static,
        E: ServiceError,
    {
        Self(match outcome {
            Ok(replies) => Answer::Stream(Box::new(Encode::new(Statuses(replies)))),
            Err(error) => Answer::Failed(error.into_status()),
        })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Answer::Message(_) => "Reply::Message",
            Answer::Stream(_) => "Reply::Stream",
            Answer::Failed(_) => "Reply::Failed",
        })
    }
}

/// Reads the one message of a unary request, and that there is no second.
async fn single<Q: Message + Default>(mut frames: Frames<RequestBody>) -> Result<Q, Status> {
    let Some(first) = next(&mut frames).await? else {
        return Err(Status::new(
            Code::Internal,
            "the request ended without its message",
        ));
    };
    if next(&mut frames).await?.is_some() {
        return Err(Status::new(
            Code::Internal,
            "the request has a second message, and the method takes one",
        ));
    }
    Q::decode(first).map_err(|error| InboundError::decode(error).into_status())
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
struct Statuses<R, E>(Streamed<R, E>);

impl<R, E: ServiceError> Stream for Statuses<R, E> {
    type Item = Result<R, Status>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::pin::Pin::new(&mut self.0)
            .poll_next(cx)
            .map(|item| item.map(|reply| reply.map_err(ServiceError::into_status)))
    }
}
