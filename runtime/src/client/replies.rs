//! [`Replies`]: the replies of a streaming call.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use prost::Message;
use tokio::time::{Sleep, sleep_until};
use tonic::metadata::MetadataMap;

use super::attempts::Open;
use super::error::CallError;
use super::failure::Failure;
use super::outgoing::Outgoing;
use super::reader::{Reader, decode};
use super::requests::Requests;
use super::setback::Setback;
use crate::errors::ServiceError;
use crate::interceptors::{Flow, Tally};
use crate::wire::boxed::AnyBody;
use crate::wire::frames::Piece;
use crate::{Code, ProtobufMapper};

/// After this many replies without a wait in between, the deadline is asked all the same: else a
/// server that is faster than its caller would never meet it.
const BURST: u8 = 32;

/// The replies of a streaming call, in the order in which the server sent them.
///
/// Ends with `None` when the call has succeeded, or with one error. Dropping it before its end
/// cancels the call.
///
/// ```no_run
/// # async fn show<T: std::fmt::Debug>(
/// #     mut replies: apibase::Replies<T, apibase::DomainError>,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// while let Some(reply) = replies.message().await? {
///     println!("{reply:?}");
/// }
/// println!("next page: {:?}", replies.trailers().get("x-next-page-token"));
/// # Ok(()) }
/// ```
pub struct Replies<T, E> {
    /// None when nothing more will come; what is left of the call is cancelled by then.
    reader: Option<Reader<AnyBody>>,
    headers: MetadataMap,
    trailers: MetadataMap,
    limits: Limits,
    burst: u8,
    tally: Tally,
    /// None once the call has ended: who keeps its replies doesn't keep it from being over.
    call: Option<Outgoing>,
    /// None as soon as the call has ended: what is left of its requests is not sent.
    requests: Option<Requests>,
    open: Open,
    decode: fn(Piece<'_>) -> Result<T, Failure>,
    error: PhantomData<fn() -> E>,
}

/// What ends a call from outside.
struct Limits {
    deadline: Option<Pin<Box<Sleep>>>,
    cancelled: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// What has ended a call from outside.
enum Hit {
    Deadline,
    Cancelled,
}

impl<T, E: ServiceError> Replies<T, E> {
    /// What `M` maps the messages of `reader` to.
    pub(super) fn new<M>(
        mut reader: Reader<AnyBody>,
        call: Outgoing,
        requests: Requests,
        open: Open,
    ) -> Self
    where
        M: ProtobufMapper<Entity = T, Proto: Message + Default>,
    {
        let context = call.context.clone();
        Self {
            headers: std::mem::take(&mut reader.headers),
            trailers: MetadataMap::new(),
            reader: Some(reader),
            limits: Limits {
                deadline: call
                    .deadline
                    .map(|deadline| Box::pin(sleep_until(deadline))),
                cancelled: context
                    .is_cancellable()
                    .then(|| Box::pin(async move { context.cancelled().await }) as _),
            },
            burst: 0,
            tally: call.tally(Flow::Received),
            call: Some(call),
            requests: Some(requests),
            open,
            decode: decode::<M>,
            error: PhantomData,
        }
    }

    /// The next reply; `None` when the call has succeeded.
    ///
    /// # Errors
    ///
    /// The service's error, or the [`Failure`] that ended the call.
    pub async fn message(&mut self) -> Result<Option<T>, CallError<E>> {
        std::future::poll_fn(|cx| self.poll_message(cx))
            .await
            .transpose()
    }

    fn poll_message(&mut self, cx: &mut Task<'_>) -> Poll<Option<Result<T, CallError<E>>>> {
        let Some(reader) = &mut self.reader else {
            return Poll::Ready(None);
        };
        if self.burst >= BURST {
            self.burst = 0;
            if let Poll::Ready(hit) = self.limits.poll_hit(cx) {
                return Poll::Ready(Some(Err(self.hit(hit))));
            }
        }
        let next = reader.poll_next(cx);
        if let Poll::Ready(Some(Ok(()))) = next {
            self.burst += 1;
            self.tally.count();
            return Poll::Ready(Some(match reader.read(self.decode) {
                Ok(reply) => {
                    self.open.answered();
                    Ok(reply)
                }
                Err(failure) => Err(self.fail(failure.into())),
            }));
        }
        if let Some(requests) = &self.requests
            && let Poll::Ready(failure) = requests.poll_failed(cx)
        {
            return Poll::Ready(Some(Err(self.fail(Setback::Final(failure)))));
        }
        Poll::Ready(match next {
            Poll::Ready(Some(Err(setback))) => Some(Err(self.fail(setback))),
            Poll::Ready(_) => {
                self.trailers = reader.trailers.take().unwrap_or_default();
                self.open.succeeded(self.call.as_ref());
                self.end(Code::Ok);
                None
            }
            // What is there counts, so the limits are asked last.
            Poll::Pending => {
                self.burst = 0;
                self.tally.tell();
                let hit = ready!(self.limits.poll_hit(cx));
                Some(Err(self.hit(hit)))
            }
        })
    }

    /// Something from outside has ended the call.
    #[cold]
    fn hit(&mut self, hit: Hit) -> CallError<E> {
        let failure = match (hit, &self.call) {
            (Hit::Deadline, Some(call)) => {
                let way = Some(self.open.attempt.way());
                call.expired(way, &self.open.trace)
            }
            _ => Failure::cancelled(),
        };
        self.fail(failure.into())
    }

    /// Ends the call with an error.
    #[cold]
    fn fail(&mut self, setback: Setback) -> CallError<E> {
        let error: CallError<E> = self.open.failed(self.call.as_ref(), setback);
        self.end(error.code());
        error
    }

    fn end(&mut self, code: Code) {
        self.reader = None;
        self.requests = None;
        self.tally.tell();
        if let Some(mut call) = self.call.take() {
            call.end(code);
        }
    }
}

impl<T, E> Replies<T, E> {
    /// The headers that came before the first reply.
    #[must_use]
    pub fn headers(&self) -> &MetadataMap {
        &self.headers
    }

    /// The trailers that came after the last reply; empty until the call has succeeded.
    ///
    /// Those of a call that failed are in its error's status.
    #[must_use]
    pub fn trailers(&self) -> &MetadataMap {
        &self.trailers
    }

    /// Where the next page of a streamed list starts, from the trailer
    /// [`NEXT_PAGE_TOKEN`](crate::NEXT_PAGE_TOKEN); `None` on the last page, and until the call has
    /// succeeded.
    #[must_use]
    pub fn next_page_token(&self) -> Option<&str> {
        crate::paging::next_page_token(&self.trailers)
    }
}

impl<T, E: ServiceError> Stream for Replies<T, E> {
    type Item = Result<T, CallError<E>>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_message(cx)
    }
}

impl<T, E> Drop for Replies<T, E> {
    fn drop(&mut self) {
        self.tally.tell();
        if let Some(call) = &self.call {
            self.open.dropped(call);
        }
    }
}

impl<T, E> fmt::Debug for Replies<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").finish_non_exhaustive()
    }
}

impl Limits {
    fn poll_hit(&mut self, cx: &mut Task<'_>) -> Poll<Hit> {
        if let Some(deadline) = &mut self.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Hit::Deadline);
        }
        match &mut self.cancelled {
            Some(cancelled) => cancelled.as_mut().poll(cx).map(|()| Hit::Cancelled),
            None => Poll::Pending,
        }
    }
}
