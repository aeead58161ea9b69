//! Entities into messages, messages into frames, and frames into bodies.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::PREFIX;
use crate::{Code, MapError, ProtobufMapper, Status};

/// Ready messages of a stream share one DATA frame up to this many bytes.
const BATCH: usize = 32 * 1024;

/// Why something has no frame.
#[derive(Debug)]
pub(crate) enum Unencodable {
    /// No message can say what the entity holds.
    Entity(MapError),
    /// Its message is longer than a frame can say.
    TooLong(Status),
}

/// Encodes one entity as one frame.
pub(crate) fn frame<M>(entity: M::Entity) -> Result<Bytes, Unencodable>
where
    M: ProtobufMapper<Proto: Message>,
{
    let message = message::<M>(entity)?;
    let mut buffer = BytesMut::with_capacity(PREFIX + message.encoded_len());
    append(&message, &mut buffer)?;
    Ok(buffer.freeze())
}

fn message<M: ProtobufMapper>(entity: M::Entity) -> Result<M::Proto, Unencodable> {
    M::into_proto(entity).map_err(|error| Unencodable::Entity(error.into()))
}

/// Encodes one message at the end of `buffer`, which grows to hold it.
fn append<P: Message>(message: &P, buffer: &mut BytesMut) -> Result<(), Unencodable> {
    let length = message.encoded_len();
    let Ok(prefix) = u32::try_from(length) else {
        return Err(Unencodable::TooLong(Status::new(
            Code::ResourceExhausted,
            format!("a message of {length} bytes is longer than a frame can say (4 GiB)"),
        )));
    };
    buffer.reserve(PREFIX + length);
    buffer.put_u8(0);
    buffer.put_u32(prefix);
    message.encode_raw(buffer);
    Ok(())
}

/// Where a body's frames come from.
pub(crate) trait Source: Send {
    /// Appends what is ready to `buffer`, and says whether more will come.
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill>;
}

/// What a [`Source`] says after it was asked.
#[derive(Debug)]
pub(crate) enum Fill {
    /// More may come.
    More,
    /// It has ended: the status of the call.
    End(Result<(), Status>),
}

/// A stream of entities as a [`Source`].
pub(crate) struct Encode<M, S, F> {
    stream: Pin<Box<S>>,
    refuse: F,
    mapper: PhantomData<fn() -> M>,
}

impl<M, S, F> Encode<M, S, F> {
    /// The frames of what `stream` yields. The first entity that has none ends it, with the status
    /// that `refuse` gives.
    pub(crate) fn new(stream: S, refuse: F) -> Self {
        Self {
            stream: Box::pin(stream),
            refuse,
            mapper: PhantomData,
        }
    }
}

impl<M, S, F> Source for Encode<M, S, F>
where
    M: ProtobufMapper<Proto: Message>,
    S: futures_core::Stream<Item = Result<M::Entity, Status>> + Send,
    F: Fn(Unencodable) -> Status + Send,
{
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        loop {
            let end = match self.stream.as_mut().poll_next(cx) {
                Poll::Pending if buffer.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Fill::More),
                Poll::Ready(Some(Ok(entity))) => {
                    match message::<M>(entity).and_then(|message| append(&message, buffer)) {
                        Ok(()) if buffer.len() < BATCH => continue,
                        Ok(()) => return Poll::Ready(Fill::More),
                        Err(why) => Err((self.refuse)(why)),
                    }
                }
                Poll::Ready(Some(Err(status))) => Err(status),
                Poll::Ready(None) => Ok(()),
            };
            return Poll::Ready(Fill::End(end));
        }
    }
}
