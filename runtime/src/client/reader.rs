//! [`Reader`]: the answer to a call, from its head to its status.

use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Body;
use prost::Message;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::failure::{Failure, FailureKind};
use super::info::CallInfo;
use super::outgoing::Outgoing;
use super::setback::Setback;
use super::transport::TransportError;
use crate::wire::boxed::{AnyBody, BoxedError};
use crate::wire::compression::Encodings;
use crate::wire::frames::{FrameError, Frames, Piece};
use crate::wire::{headers, status};
use crate::{BoxError, Code, ProtobufMapper, Status};

/// The answer to a call, being read.
pub(super) struct Reader<B> {
    frames: Frames<B>,
    deadline: Option<Instant>,
    pub(super) headers: MetadataMap,
    /// A status that stood in the head of an answer that may go on: it counts if nothing follows.
    early: Option<HeaderMap>,
    /// There once the call has ended well.
    pub(super) trailers: Option<MetadataMap>,
    /// Who asks, and the headers for it.
    info: Option<(CallInfo, MetadataMap)>,
}

impl<B> Reader<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    /// Reads the head: it is gRPC, and not an error already.
    pub(super) fn open(response: Response<B>, call: &Outgoing) -> Result<Self, Setback> {
        let (parts, body) = response.into_parts();
        let compression = Encodings::all().of(&parts.headers);
        let (compression, unknown) = match compression {
            Ok(compression) => (compression, None),
            Err(name) => (None, Some(name)),
        };
        let mut reader = Self {
            frames: Frames::new(body, call.max_message_size(), compression),
            deadline: call.deadline,
            headers: MetadataMap::new(),
            early: None,
            trailers: None,
            info: call.info().map(|info| (info.clone(), MetadataMap::new())),
        };
        let wrong = not_grpc(parts.status, &parts.headers, unknown);
        if status::is_in(&parts.headers) {
            // The head has the status, and what else it has are trailers, unless there is more to come.
            let mut trailers = parts.headers.clone();
            trailers.remove(header::CONTENT_TYPE);
            if wrong.is_some() || reader.frames.body().is_end_stream() {
                reader.end(trailers, false)?;
                return Ok(reader);
            }
            reader.early = Some(trailers);
        }
        if let Some(status) = wrong {
            return Err(Setback::Status {
                status,
                after_head: false,
            });
        }
        reader.headers = MetadataMap::from_headers(parts.headers);
        if let Some((info, headers)) = &mut reader.info {
            headers.clone_from(&reader.headers);
            info.set_headers(reader.headers.clone());
        }
        Ok(reader)
    }

    /// The same reader, over a body of any type.
    pub(super) fn any(self) -> Reader<AnyBody> {
        Reader {
            frames: self.frames.map(BoxedError::any),
            deadline: self.deadline,
            headers: self.headers,
            early: self.early,
            trailers: self.trailers,
            info: self.info,
        }
    }

    /// Whether there is a next message, for [`Reader::read`]; `None` when the call has ended well.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(), Setback>>> {
        if self.trailers.is_some() {
            return Poll::Ready(None);
        }
        Poll::Ready(match ready!(self.frames.poll_next(cx)) {
            Some(Ok(())) => {
                self.early = None;
                Some(Ok(()))
            }
            Some(Err(error)) => Some(Err(self.broken(error))),
            None => self.finish().map(Err),
        })
    }

    async fn next(&mut self) -> Option<Result<(), Setback>> {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// What `decode` makes of the message that is there.
    pub(super) fn read<T>(&mut self, decode: impl FnOnce(Piece<'_>) -> T) -> T {
        self.frames.read(decode)
    }

    /// The answer can't be read on.
    #[cold]
    fn broken(&self, error: FrameError) -> Setback {
        match error {
            FrameError::Invalid(status) => Failure::new(FailureKind::Decode, status).into(),
            FrameError::Cut(error) => {
                let error = TransportError::broken(error).after_head();
                Setback::broken(error, self.deadline)
            }
            // A reset with NO_ERROR, which is the end of the body alone.
            FrameError::Open => {
                let error = TransportError::broken("the stream was reset before its end");
                error.after_head().into()
            }
        }
    }

    /// The body is at its end, so the status is known.
    fn finish(&mut self) -> Option<Setback> {
        let early = self.early.take();
        let after_head = early.is_none();
        let trailers = self.frames.take_trailers().or(early).unwrap_or_default();
        self.end(trailers, after_head).err()
    }

    /// Takes the status, wherever it stood.
    fn end(&mut self, trailers: HeaderMap, after_head: bool) -> Result<(), Setback> {
        match status::read(trailers) {
            Some(Ok(trailers)) => {
                self.tell(&trailers, None);
                self.trailers = Some(trailers);
                Ok(())
            }
            Some(Err(status)) => {
                self.tell(status.metadata(), Some(&status));
                Err(Setback::Status { status, after_head })
            }
            None => {
                let status = Status::new(Code::Unknown, "the answer ended without a status");
                Err(Failure::new(FailureKind::Transport, status).into())
            }
        }
    }

    /// Whoever asks hears of this answer alone, not of one that another attempt had before.
    fn tell(&self, trailers: &MetadataMap, status: Option<&Status>) {
        if let Some((info, headers)) = &self.info {
            info.set_end(headers.clone(), trailers.clone(), status.cloned());
        }
    }
}

/// Reads the one reply of a call, and that it ended well after it.
pub(super) async fn single<R, B>(reader: &mut Reader<B>) -> Result<R::Entity, Setback>
where
    R: ProtobufMapper<Proto: Message + Default>,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    if reader.next().await.transpose()?.is_none() {
        return Err(not_one("the call succeeded without a reply").into());
    }
    let reply = reader.read(decode::<R>);
    if reader.next().await.transpose()?.is_some() {
        return Err(not_one("the answer has a second reply, and the method has one").into());
    }
    Ok(reply?)
}

/// Another number of replies than one: what gRPC's `statuscodes.md` calls a violation of cardinality.
#[cold]
fn not_one(message: &str) -> Failure {
    let status = Status::new(Code::Unimplemented, message);
    Failure::new(FailureKind::Decode, status)
}

/// Decodes a reply, and maps it.
pub(super) fn decode<R>(reply: Piece<'_>) -> Result<R::Entity, Failure>
where
    R: ProtobufMapper<Proto: Message + Default>,
{
    let message = R::Proto::decode(reply).map_err(|error| {
        let message = format!("a reply does not decode: {error}");
        Failure::decode(message, Some(error.into()))
    })?;
    R::from_proto(message).map_err(|error| {
        let message = format!("a reply is wrong: {error}");
        Failure::decode(message, Some(error.into()))
    })
}

fn not_grpc(http: StatusCode, answer: &HeaderMap, unknown: Option<String>) -> Option<Status> {
    if http != StatusCode::OK {
        return Some(status::from_http(http));
    }
    if !answer
        .get(header::CONTENT_TYPE)
        .is_some_and(headers::is_grpc)
    {
        let message = "the answer is not gRPC: its content type is not `application/grpc`";
        return Some(Status::new(Code::Unknown, message));
    }
    let name = unknown?;
    Some(Status::new(
        Code::Internal,
        format!("the answer is compressed as `{name}`, and this client did not ask for that"),
    ))
}
