//! [`Requests`]: what a call sends, for as many attempts as it takes.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use prost::Message;

use super::body::RequestStream;
use super::failure::Failure;
use super::replay::{Replay, Source};
use super::setback::Setback;
use crate::interceptors::Tally;
use crate::wire::encode::{Encode, Unencodable};
use crate::{Code, Compression, ProtobufMapper, Status};

/// What a call sends. Each attempt gets a body of its own, of the same bytes: nothing is encoded twice.
///
/// Dropping it resets what is left of a stream: the answer alone, once its head is there, doesn't hold
/// a transport to that.
#[derive(Debug)]
pub(super) enum Requests {
    One(Bytes),
    Many(Replay),
}

impl Requests {
    /// The messages that `M` maps `entities` to, compressed so; `tally` counts them.
    pub(super) fn stream<M>(
        entities: impl Stream<Item = M::Entity> + Send + 'static,
        compression: Option<Compression>,
        tally: Tally,
    ) -> Self
    where
        M: ProtobufMapper<Proto: Message> + 'static,
    {
        let entities = Infallibly { entities };
        let source: Source = Box::new(Encode::<M, _, _, _>::new(
            entities,
            move || compression,
            unencodable,
            tally,
        ));
        Self::Many(Replay::new(source))
    }

    /// The body of the next attempt; the one before it gets no more of the stream.
    pub(super) fn body(&self) -> RequestStream {
        match self {
            Self::One(frame) => RequestStream::message(frame.clone()),
            Self::Many(replay) => RequestStream::replay(replay.attempt()),
        }
    }

    /// The attempt that ran is over; whether another one would send all that it did.
    pub(super) fn halt(&self) -> bool {
        match self {
            Self::One(_) => true,
            Self::Many(replay) => replay.halt(),
        }
    }

    /// There will be no other attempt, so that nothing has to be kept for it.
    pub(super) fn commit(&self) {
        if let Self::Many(replay) = self {
            replay.commit();
        }
    }

    /// Ready when a request can't be encoded; that ends the call, whatever came back until then.
    pub(super) fn poll_failed(&self, cx: &mut Context<'_>) -> Poll<Box<Failure>> {
        match self {
            Self::One(_) => Poll::Pending,
            Self::Many(replay) => replay.poll_failed(cx),
        }
    }
}

/// Runs `exchange`, and no longer than until one of the `requests` can't be encoded.
pub(super) async fn unless_failed<R>(
    requests: &Requests,
    exchange: impl Future<Output = Result<R, Setback>>,
) -> Result<R, Setback> {
    let mut exchange = pin!(exchange);
    poll_fn(|cx| {
        // The exchange is asked first: a transport may read the requests when it is.
        let result = exchange.as_mut().poll(cx);
        match requests.poll_failed(cx) {
            Poll::Ready(failure) => Poll::Ready(Err(Setback::Final(failure))),
            Poll::Pending => result,
        }
    })
    .await
}

/// What a request that can't be encoded is.
#[cold]
pub(super) fn unencodable(why: Unencodable) -> Status {
    match why {
        Unencodable::Entity(error) => {
            let message = format!("a request can't be encoded: {error}");
            let mut status = Status::new(Code::Internal, message);
            status.set_source(Arc::new(error));
            status
        }
        Unencodable::TooLong(status) => status,
    }
}

pin_project_lite::pin_project! {
    /// A caller's requests; a caller has no error to send, it drops the call instead.
    struct Infallibly<S> {
        #[pin]
        entities: S,
    }
}

impl<S: Stream> Stream for Infallibly<S> {
    type Item = Result<S::Item, Status>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.project()
            .entities
            .poll_next(cx)
            .map(|item| item.map(Ok))
    }
}
