//! [`Streamed`]: the replies of a streaming RPC.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tokio::sync::mpsc;

/// The replies of a streaming RPC: messages, and at its end success or an error.
///
/// It outlives the call to the servicer, so it owns what it needs. The first error ends it; what
/// would come after is not sent. It is dropped when the caller has gone or the deadline has passed.
///
/// ```
/// use apibase::{DomainError, Streamed};
///
/// let numbers: Streamed<u32, DomainError> = Streamed::from_iter((1..=3).map(Ok));
/// ```
pub struct Streamed<T, E> {
    inner: Pin<Box<dyn Stream<Item = Result<T, E>> + Send>>,
}

/// The sending half of [`Streamed::channel`].
pub struct StreamSender<T, E> {
    sender: mpsc::Sender<Result<T, E>>,
}

/// Nobody reads the stream any more: the caller has gone, or the deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

impl<T, E> Streamed<T, E>
where
    T: Send + 'static,
    E: Send + 'static,
{
    /// The replies that `stream` yields.
    pub fn new(stream: impl Stream<Item = Result<T, E>> + Send + 'static) -> Self {
        Self {
            inner: Box::pin(stream),
        }
    }

    /// The replies that `iter` yields, as fast as they can be sent.
    #[allow(
        clippy::should_implement_trait,
        reason = "`FromIterator` can't ask for an iterator that is `Send` and `'static`"
    )]
    pub fn from_iter<I>(iter: I) -> Self
    where
        I: IntoIterator<Item = Result<T, E>, IntoIter: Send + 'static>,
    {
        Self::new(Iter(iter.into_iter()))
    }

    /// A stream that is fed from elsewhere, a spawned task for example.
    ///
    /// At most `capacity` replies wait in it (at least one); [`StreamSender::send`] waits when it
    /// is full. The stream ends when all senders are dropped.
    #[must_use]
    pub fn channel(capacity: usize) -> (StreamSender<T, E>, Self) {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        (StreamSender { sender }, Self::new(Receiver(receiver)))
    }
}

impl<T, E> Stream for Streamed<T, E> {
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.as_mut().poll_next(cx)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T, E> fmt::Debug for Streamed<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}

impl<T, E> StreamSender<T, E> {
    /// Sends a reply, or the error that ends the stream.
    ///
    /// # Errors
    ///
    /// [`Closed`] when nobody reads the stream any more: there is no use in going on.
    pub async fn send(&self, reply: Result<T, E>) -> Result<(), Closed> {
        self.sender.send(reply).await.map_err(|_| Closed)
    }

    /// Waits until nobody reads the stream any more.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }
}

impl<T, E> Clone for StreamSender<T, E> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
        }
    }
}

impl<T, E> fmt::Debug for StreamSender<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamSender").finish_non_exhaustive()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the stream any more")
    }
}

impl Error for Closed {}

/// An iterator as a stream.
struct Iter<I>(I);

impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// A channel's receiver as a stream.
struct Receiver<T>(mpsc::Receiver<T>);

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(cx)
    }
}
