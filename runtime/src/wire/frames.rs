//! [`Frames`]: the messages of a body, one after the other.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use http::HeaderMap;
use http_body::Body;

use super::PREFIX;
use super::compression::{Broken, Compression, decompress};
use crate::{BoxError, Code, Status};

/// Room is made at once for a message that is announced with this much or less, as much as a peer may
/// send on a stream unasked. For a larger one there is twice as much, and it has to come for its room to
/// grow.
///
/// It is glibc that makes the second number pay: until it has once freed a block of 128 KiB it gives
/// memory back to the system after each call whose buffers come to that, which took a quarter of a call
/// of 64 KiB.
const AHEAD: usize = 64 * 1024;

/// Splits a body into its messages.
///
/// A message that lies whole in one chunk is read where it is; only one that is spread over chunks is
/// copied together.
#[derive(Debug)]
pub(crate) struct Frames<B> {
    body: B,
    chunk: Bytes,
    partial: BytesMut,
    trailers: Option<HeaderMap>,
    max_message_size: usize,
    /// How those messages are compressed that say that they are.
    compression: Option<Compression>,
    /// The message that is there to be read.
    whole: Option<Whole>,
    ended: bool,
}

/// What stands before a message.
struct Prefix {
    is_compressed: bool,
    length: usize,
}

/// A message that has come whole.
#[derive(Debug)]
enum Whole {
    /// It is the first of the chunk's bytes, this many.
    InChunk(usize),
    Apart(Bytes),
}

/// A message where it lies, to be decoded: the first of these bytes, so many.
///
/// In a stream of small messages, to count a reference to their chunk for each costs about as much as to
/// decode it. Only a field of bytes takes one here, and none where it is the last of its chunk.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    bytes: &'a mut Bytes,
    left: usize,
}

/// Why a body has no next message.
#[derive(Debug)]
pub(crate) enum FrameError {
    /// What came is not gRPC, or is too much: the status says so.
    Invalid(Status),
    /// The stream was reset, or the connection is gone.
    Cut(BoxError),
    /// The body has ended without saying that its stream had: a reset with `NO_ERROR` looks like
    /// that, and so does the clean end of a body that never says.
    Open,
}

impl<B> Frames<B> {
    /// The messages of `body`, each up to this size, before and after it is decompressed.
    pub(crate) fn new(body: B, max_message_size: usize, compression: Option<Compression>) -> Self {
        Self {
            body,
            chunk: Bytes::new(),
            partial: BytesMut::new(),
            trailers: None,
            max_message_size,
            compression,
            whole: None,
            ended: false,
        }
    }

    /// The same frames of the body that `change` makes of theirs.
    pub(crate) fn map<C>(self, change: impl FnOnce(B) -> C) -> Frames<C> {
        Frames {
            body: change(self.body),
            chunk: self.chunk,
            partial: self.partial,
            trailers: self.trailers,
            max_message_size: self.max_message_size,
            compression: self.compression,
            whole: self.whole,
            ended: self.ended,
        }
    }

    pub(crate) fn body(&self) -> &B {
        &self.body
    }

    /// The trailers, once the body has ended with some.
    pub(crate) fn take_trailers(&mut self) -> Option<HeaderMap> {
        self.trailers.take()
    }
}

impl<B> Frames<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    /// Whether there is a next message, which is then there for [`Frames::read`] or [`Frames::take`];
    /// `None` at a clean end.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(), FrameError>>> {
        loop {
            if self.ended {
                return Poll::Ready(None);
            }
            match self.split() {
                Ok(true) => return Poll::Ready(Some(Ok(()))),
                Ok(false) => {}
                Err(status) => {
                    return Poll::Ready(Some(Err(self.end(FrameError::Invalid(status)))));
                }
            }
            match ready!(self.poll_chunk(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(self.finish().map(Err)),
                Err(error) => return Poll::Ready(Some(Err(self.end(error)))),
            }
        }
    }

    /// Awaits [`Frames::poll_next`], and takes the message.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, FrameError>> {
        let next = std::future::poll_fn(|cx| self.poll_next(cx)).await;
        next.map(|next| next.map(|()| self.take()))
    }

    /// What `read` makes of the message that is there.
    pub(crate) fn read<T>(&mut self, read: impl FnOnce(Piece<'_>) -> T) -> T {
        match self.whole.take() {
            Some(Whole::InChunk(length)) => {
                let rest = self.chunk.len() - length;
                let message = read(Piece {
                    bytes: &mut self.chunk,
                    left: length,
                });
                // Where it doesn't decode, it isn't read to its end.
                self.chunk.advance(self.chunk.len() - rest);
                message
            }
            Some(Whole::Apart(mut message)) => read(Piece::from(&mut message)),
            None => read(Piece::from(&mut Bytes::new())),
        }
    }

    /// The bytes of the message that is there.
    fn take(&mut self) -> Bytes {
        match self.whole.take() {
            Some(Whole::InChunk(length)) => self.chunk.split_to(length),
            Some(Whole::Apart(message)) => message,
            None => Bytes::new(),
        }
    }

    /// Reads one more chunk; `false` at the end of the body.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, FrameError>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Err(FrameError::Cut(error.into()))),
            None => return Poll::Ready(Ok(false)),
        };
        match frame.into_data() {
            // What was in it before is read, or gathered.
            Ok(data) => self.chunk = data,
            Err(frame) => self.trailers = frame.into_trailers().ok(),
        }
        Poll::Ready(Ok(true))
    }

    /// Finds a whole message in what has been read, and takes its prefix away.
    fn split(&mut self) -> Result<bool, Status> {
        if self.whole.is_some() {
            return Ok(true);
        }
        let (prefix, whole) = if self.partial.is_empty() {
            match self.prefix(&self.chunk)? {
                Some(prefix) if self.chunk.len() - PREFIX >= prefix.length => {
                    self.chunk.advance(PREFIX);
                    let whole = Whole::InChunk(prefix.length);
                    (prefix, whole)
                }
                prefix => {
                    let whole = prefix.map_or(0, |prefix| PREFIX + prefix.length);
                    self.gather(whole.max(PREFIX));
                    return Ok(false);
                }
            }
        } else {
            self.gather(PREFIX);
            let Some(prefix) = self.prefix(&self.partial)? else {
                return Ok(false);
            };
            self.gather(PREFIX + prefix.length);
            if self.partial.len() - PREFIX < prefix.length {
                return Ok(false);
            }
            let mut message = std::mem::take(&mut self.partial).freeze();
            message.advance(PREFIX);
            (prefix, Whole::Apart(message))
        };
        self.whole = Some(whole);
        if let Some(encoding) = self.compression
            && prefix.is_compressed
        {
            let packed = self.take();
            self.whole = Some(Whole::Apart(self.decompress(encoding, &packed)?));
        }
        Ok(true)
    }

    /// Takes as much of a message that is spread over chunks out of this one as there is of its length,
    /// and no more: what follows it is read where it lies.
    fn gather(&mut self, length: usize) {
        if self.chunk.is_empty() {
            return;
        }
        let room = match length {
            ..=AHEAD => length,
            _ => 2 * AHEAD,
        };
        if self.partial.capacity() < room {
            self.partial.reserve(room - self.partial.len());
        }
        let missing = length.saturating_sub(self.partial.len());
        let part = self.chunk.split_to(missing.min(self.chunk.len()));
        self.partial.extend_from_slice(&part);
    }

    /// A message without its encoding.
    fn decompress(&self, encoding: Compression, packed: &[u8]) -> Result<Bytes, Status> {
        let limit = self.max_message_size;
        let plain = decompress(encoding, packed, limit).map_err(|broken| match broken {
            Broken::TooLarge => Status::new(
                Code::ResourceExhausted,
                format!("a message is larger than the limit of {limit} bytes after decompression"),
            ),
            Broken::Corrupt(why) => Status::new(
                Code::Internal,
                format!("a message can't be decompressed as `{encoding}`: {why}"),
            ),
        })?;
        Ok(plain.into())
    }

    /// What stands before a message, once that is whole.
    fn prefix(&self, bytes: &[u8]) -> Result<Option<Prefix>, Status> {
        let Some((&[flags, a, b, c, d], _)) = bytes.split_first_chunk::<PREFIX>() else {
            return Ok(None);
        };
        match flags {
            0 => {}
            1 if self.compression.is_some() => {}
            1 => {
                return Err(Status::new(
                    Code::Internal,
                    "a message is marked as compressed, but no `grpc-encoding` was agreed on",
                ));
            }
            _ => {
                return Err(Status::new(
                    Code::Internal,
                    format!("a message has the flags {flags:#04x}, and only 0 and 1 are defined"),
                ));
            }
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.max_message_size {
            return Err(Status::new(
                Code::ResourceExhausted,
                format!(
                    "a message of {length} bytes is larger than the limit of {} bytes",
                    self.max_message_size
                ),
            ));
        }
        Ok(Some(Prefix {
            is_compressed: flags == 1,
            length,
        }))
    }

    /// The body has ended: cleanly, in the middle of a message, or cut.
    fn finish(&mut self) -> Option<FrameError> {
        self.ended = true;
        let left = self.chunk.len() + self.partial.len();
        if self.trailers.is_none() && !self.body.is_end_stream() {
            return Some(match left {
                0 => FrameError::Open,
                _ => FrameError::Cut("the stream was cut off in the middle of a message".into()),
            });
        }
        (left > 0).then(|| {
            FrameError::Invalid(Status::new(
                Code::Internal,
                format!("the stream ended in the middle of a message, {left} bytes into it"),
            ))
        })
    }

    fn end(&mut self, error: FrameError) -> FrameError {
        self.ended = true;
        self.chunk.clear();
        self.partial.clear();
        error
    }
}

impl<'a> From<&'a mut Bytes> for Piece<'a> {
    fn from(bytes: &'a mut Bytes) -> Self {
        let left = bytes.len();
        Self { bytes, left }
    }
}

impl Buf for Piece<'_> {
    #[inline]
    fn remaining(&self) -> usize {
        self.left
    }

    #[inline]
    fn chunk(&self) -> &[u8] {
        self.bytes.get(..self.left).unwrap_or_default()
    }

    #[inline]
    fn advance(&mut self, count: usize) {
        assert!(count <= self.left, "a message is not read beyond its end");
        self.bytes.advance(count);
        self.left -= count;
    }

    #[inline]
    fn copy_to_bytes(&mut self, length: usize) -> Bytes {
        assert!(length <= self.left, "a message is not read beyond its end");
        self.left -= length;
        self.bytes.split_to(length)
    }
}
