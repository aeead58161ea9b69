//! Messages into frames, and frames into bodies.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::PREFIX;
use crate::{Code, Status};

/// Ready messages of a stream share one DATA frame up to this many bytes.
const BATCH: usize = 32 * 1024;

/// Encodes one message as one frame.
pub(crate) fn frame<M: Message>(message: &M) -> Result<Bytes, Status> {
    let mut buffer = BytesMut::with_capacity(PREFIX + message.encoded_len());
    append(message, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Encodes one message at the end of `buffer`, which grows to hold it.
pub(crate) fn append<M: Message>(message: &M, buffer: &mut BytesMut) -> Result<(), Status> {
    let length = message.encoded_len();
    let Ok(prefix) = u32::try_from(length) else {
        return Err(Status::new(
            Code::ResourceExhausted,
            format!("a message of {length} bytes is longer than a frame can say (4 GiB)"),
        ));
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

/// A stream of messages as a [`Source`].
pub(crate) struct Encode<S> {
    stream: Pin<Box<S>>,
}

impl<S> Encode<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream: Box::pin(stream),
        }
    }
}

impl<S, M> Source for Encode<S>
where
    S: futures_core::Stream<Item = Result<M, Status>> + Send,
    M: Message,
{
    fn poll_fill(&mut self, cx: &mut Context<'_>, buffer: &mut BytesMut) -> Poll<Fill> {
        loop {
            let end = match self.stream.as_mut().poll_next(cx) {
                Poll::Pending if buffer.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Fill::More),
                Poll::Ready(Some(Ok(message))) => match append(&message, buffer) {
                    Ok(()) if buffer.len() < BATCH => continue,
                    Ok(()) => return Poll::Ready(Fill::More),
                    Err(status) => Err(status),
                },
                Poll::Ready(Some(Err(status))) => Err(status),
                Poll::Ready(None) => Ok(()),
            };
            return Poll::Ready(Fill::End(end));
        }
    }
}
