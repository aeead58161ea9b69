//! [`ReplyBody`]: what goes back, from the first byte to the last trailer.

use std::convert::Infallible;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Response, header};
use http_body::{Body, Frame, SizeHint};

use super::call::{Answer, Reply};
use super::deadline::Deadline;
use super::guard::CallGuard;
use super::serving::{deadline_exceeded, panicked};
use super::trailers;
#[cfg(feature = "server")]
use crate::BoxError;
use crate::errors;
use crate::interceptors::CORRELATION_ID;
#[cfg(feature = "server")]
use crate::wire::boxed::{AnyBody, BoxedError};
use crate::wire::encode::{Fill, Source};
use crate::wire::headers::MAX_METADATA;
use crate::wire::{headers, status};
use crate::{Code, Context, Status};

/// The body of a reply. One type for all kinds of calls: it holds what ends with the call, and ends
/// it when the last trailer has been handed over or when it is dropped.
pub struct ReplyBody {
    content: Content,
    guard: Option<CallGuard>,
    /// Of a stream.
    deadline: Deadline,
}

enum Content {
    Empty,
    /// An answer that is not gRPC, and all of it.
    Text(Bytes),
    Message(Bytes),
    Stream {
        source: Box<dyn Source>,
        buffer: BytesMut,
    },
    /// The trailers, and the code that the call ends with once they are handed over.
    Trailers(HeaderMap, Code),
    /// What a layer has made of it.
    #[cfg(feature = "server")]
    Foreign(AnyBody),
}

impl ReplyBody {
    pub(crate) fn empty() -> Self {
        Self {
            content: Content::Empty,
            guard: None,
            deadline: Deadline::Never,
        }
    }

    /// What a layer has made of a body, or in place of one.
    #[cfg(feature = "server")]
    pub(crate) fn foreign<B>(body: B) -> Self
    where
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Self {
            content: Content::Foreign(BoxedError::any(body)),
            ..Self::empty()
        }
    }

    /// An answer that is not gRPC.
    pub(crate) fn text(text: &'static str) -> Self {
        let mut body = Self::empty();
        if !text.is_empty() {
            body.content = Content::Text(Bytes::from_static(text.as_bytes()));
        }
        body
    }

    /// The response that carries `reply`.
    pub(crate) fn respond(reply: Reply, guard: CallGuard, deadline: Deadline) -> Response<Self> {
        #[cfg(feature = "server")]
        let guard = match reply.place {
            Some(place) => guard.at(*place),
            None => guard,
        };
        let content = match reply.answer {
            Answer::Message(frame) => Content::Message(frame),
            Answer::Stream(source) => Content::Stream {
                source,
                buffer: BytesMut::new(),
            },
            Answer::Failed(status) => return Self::trailers_only(Some(guard), &status),
        };
        let mut headers = headers::from_metadata(guard.context().response().take_headers());
        if headers::size(&headers) > MAX_METADATA {
            let failure = too_large("headers", Some(guard.context()));
            return Self::trailers_only(Some(guard), &failure);
        }
        headers.insert(header::CONTENT_TYPE, headers::GRPC);
        tell_encodings(&mut headers, guard.context());
        tell_correlation_id(&mut headers, guard.context(), false);
        if let Some(encoding) = guard.context().replies_compression() {
            headers.insert(headers::GRPC_ENCODING, encoding.header());
        }
        guard.replies();
        let mut response = Response::new(Self {
            content,
            guard: Some(guard),
            deadline,
        });
        *response.headers_mut() = headers;
        response
    }

    /// The response to a call that failed before its first message.
    pub(crate) fn trailers_only(mut guard: Option<CallGuard>, failure: &Status) -> Response<Self> {
        let mut own = HeaderMap::new();
        if let Some(guard) = &mut guard {
            let response = guard.context().response();
            own.extend(headers::from_metadata(response.take_headers()));
            own.extend(headers::from_metadata(response.take_trailers()));
            guard.finish(failure.code());
        }
        let call = guard.as_ref().map(CallGuard::context);
        let mut headers = trailers::of_failure(own, failure, call);
        headers.insert(header::CONTENT_TYPE, headers::GRPC);
        if let Some(call) = call {
            tell_encodings(&mut headers, call);
            tell_correlation_id(&mut headers, call, true);
        }
        let mut response = Response::new(Self {
            content: Content::Empty,
            guard,
            deadline: Deadline::Never,
        });
        *response.headers_mut() = headers;
        response
    }

    /// What is left of a call that ended so.
    fn trailers(&mut self, end: Result<(), Status>) -> Content {
        let call = self.guard.as_ref().map(CallGuard::context);
        let mut own = HeaderMap::new();
        if let Some(call) = call {
            own = headers::from_metadata(call.response().take_trailers());
        }
        let failure = match end {
            Ok(()) if headers::size(&own) <= MAX_METADATA => {
                status::write_ok(&mut own);
                return Content::Trailers(own, Code::Ok);
            }
            Ok(()) => too_large("trailers", call),
            Err(failure) => failure,
        };
        let mut trailers = trailers::of_failure(own, &failure, call);
        // Unless it went with the headers, when it wasn't known that the call would fail.
        if let Some(call) = call
            && call.told_correlation_id(false).is_none()
        {
            tell_correlation_id(&mut trailers, call, true);
        }
        Content::Trailers(trailers, failure.code())
    }

    /// Asks the stream for more; the deadline ends it, and so does a panic.
    fn poll_stream(&mut self, cx: &mut Task<'_>) -> Poll<Fill> {
        let Content::Stream { source, buffer } = &mut self.content else {
            return Poll::Ready(Fill::End(Ok(())));
        };
        let call = self.guard.as_ref().map(CallGuard::context);
        if self.deadline.has_passed(cx) {
            return Poll::Ready(Fill::End(Err(deadline_exceeded(call))));
        }
        // The source is not polled again after a panic.
        catch_unwind(AssertUnwindSafe(|| source.poll_fill(cx, buffer)))
            .unwrap_or_else(|payload| Poll::Ready(Fill::End(Err(panicked(&*payload, call)))))
    }
}

/// What the caller may compress its next requests as.
fn tell_encodings(headers: &mut HeaderMap, call: &Context) {
    if let Some(encodings) = call.encodings() {
        headers.insert(headers::GRPC_ACCEPT_ENCODING, encodings.header());
    }
}

/// Under which id the server's log has the call; what the servicer has set is meant.
fn tell_correlation_id(headers: &mut HeaderMap, call: &Context, has_failed: bool) {
    if let Some(id) = call.told_correlation_id(has_failed)
        && let Some(id) = headers::unrepeated(id)
    {
        headers.entry(CORRELATION_ID).or_insert(id);
    }
}

/// The servicer has set more than a peer takes.
#[cold]
fn too_large(what: &str, call: Option<&Context>) -> Status {
    let nobodys = Context::background();
    let message = format!("the reply's {what} are larger than {MAX_METADATA} bytes");
    errors::internal(&message, call.unwrap_or(&nobodys))
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if matches!(this.content, Content::Stream { .. }) {
            let fill = ready!(this.poll_stream(cx));
            let Content::Stream { buffer, .. } = &mut this.content else {
                return Poll::Ready(None);
            };
            let ready = buffer.split().freeze();
            if let Fill::End(end) = fill {
                this.content = this.trailers(end);
            }
            if !ready.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(ready))));
            }
        }
        #[cfg(feature = "server")]
        if let Content::Foreign(body) = &mut this.content {
            return match ready!(body.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
                Some(Err(error)) => {
                    let failure = errors::internal(
                        &format_args!("a layer's body failed: {error}"),
                        &Context::background(),
                    );
                    this.content = Content::Empty;
                    let trailers = trailers::of_failure(HeaderMap::new(), &failure, None);
                    Poll::Ready(Some(Ok(Frame::trailers(trailers))))
                }
                None => Poll::Ready(None),
            };
        }
        Poll::Ready(match std::mem::replace(&mut this.content, Content::Empty) {
            Content::Text(text) => Some(Ok(Frame::data(text))),
            Content::Message(frame) => {
                this.content = this.trailers(Ok(()));
                Some(Ok(Frame::data(frame)))
            }
            Content::Trailers(trailers, code) => {
                if let Some(guard) = &mut this.guard {
                    guard.finish(code);
                }
                Some(Ok(Frame::trailers(trailers)))
            }
            // The last was dealt with above.
            _ => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            #[cfg(feature = "server")]
            Content::Foreign(body) => body.is_end_stream(),
            _ => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty | Content::Trailers(..) => SizeHint::with_exact(0),
            Content::Text(text) => SizeHint::with_exact(text.len() as u64),
            _ => SizeHint::default(),
        }
    }
}

impl Default for ReplyBody {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").finish_non_exhaustive()
    }
}
