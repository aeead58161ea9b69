//! Entities into messages, messages into frames, and frames into bodies.

use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::PREFIX;
use super::compression::{Compression, WORTH, pack};
use crate::interceptors::Tally;
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

/// Encodes one entity as one frame, compressed if that is asked for and worth it.
pub(crate) fn frame<M>(
    entity: M::Entity,
    compression: Option<Compression>,
) -> Result<Bytes, Unencodable>
where
    M: ProtobufMapper<Proto: Message>,
{
    let message = message::<M>(entity)?;
    let mut buffer = BytesMut::new();
    append(&message, compression, &mut buffer)?;
    Ok(buffer.freeze())
}

fn message<M: ProtobufMapper>(entity: M::Entity) -> Result<M::Proto, Unencodable> {
    M::into_proto(entity).map_err(|error| Unencodable::Entity(error.into()))
}

/// Encodes one message at the end of `buffer`, which grows to hold it, and says how long it is before
/// it is compressed.
fn append<P: Message>(
    message: &P,
    compression: Option<Compression>,
    buffer: &mut BytesMut,
) -> Result<usize, Unencodable> {
    let length = message.encoded_len();
    let Ok(prefix) = u32::try_from(length) else {
        return Err(Unencodable::TooLong(Status::new(
            Code::ResourceExhausted,
            format!("a message of {length} bytes is longer than a frame can say (4 GiB)"),
        )));
    };
    match compression {
        Some(encoding) if length >= WORTH => pack(
            encoding,
            |plain| {
                plain.reserve(length);
                message.encode_raw(plain);
            },
            |is_packed, sent| {
                buffer.reserve(PREFIX + sent.len());
                buffer.put_u8(is_packed.into());
                // What is smaller than the message has a length that fits, too.
                buffer.put_u32(u32::try_from(sent.len()).unwrap_or(prefix));
                buffer.put_slice(sent);
            },
        ),
        _ => {
            buffer.reserve(PREFIX + length);
            buffer.put_u8(0);
            buffer.put_u32(prefix);
            message.encode_raw(buffer);
        }
    }
    Ok(length)
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
pub(crate) struct Encode<M, S, C, F> {
    stream: Pin<Box<S>>,
    compression: C,
    refuse: F,
    tally: Tally,
    mapper: PhantomData<fn() -> M>,
}

impl<M, S, C, F> Encode<M, S, C, F> {
    /// The frames of what `stream` yields, each compressed as `compression` says at the time. The
    /// first entity that has none ends it, with the status that `refuse` gives. `tally` counts them.
    pub(crate) fn new(stream: S, compression: C, refuse: F, tally: Tally) -> Self {
        Self {
            stream: Box::pin(stream),
            compression,
            refuse,
            tally,
            mapper: PhantomData,
        }
    }
}

impl<M, S, C, F> Source for Encode<M, S, C, F>
where
    M: ProtobufMapper<Proto: Message>,
    S: futures_core::Stream<Item = Result<M::Entity, Status>> + Send,
    C: Fn() -> Option<Compression> + Send,
    F: Fn(Unencodable) -> Status + Send,
{
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        // What was worked on counts, and not the little that has become of it.
        let mut encoded = 0;
        loop {
            let end = match self.stream.as_mut().poll_next(cx) {
                Poll::Pending if buffer.is_empty() => return Poll::Pending,
                Poll::Pending => {
                    self.tally.tell();
                    return Poll::Ready(Fill::More);
                }
                Poll::Ready(Some(Ok(entity))) => {
                    let compression = (self.compression)();
                    let appended = message::<M>(entity)
                        .and_then(|message| append(&message, compression, buffer));
                    match appended {
                        Ok(length) => {
                            encoded += PREFIX + length;
                            self.tally.count();
                        }
                        Err(why) => return Poll::Ready(Fill::End(Err((self.refuse)(why)))),
                    }
                    if encoded < BATCH {
                        continue;
                    }
                    return Poll::Ready(Fill::More);
                }
                Poll::Ready(Some(Err(status))) => Err(status),
                Poll::Ready(None) => Ok(()),
            };
            return Poll::Ready(Fill::End(end));
        }
    }
}
