//! [`ReflectionV1`] and [`ReflectionV1Alpha`]: the two services, which answer alike.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll, ready};

use futures_core::Stream;
use tokio::sync::watch;

use super::answer::answer;
use super::index::{Index, Sent};
use super::messages::{Request, Response};
use super::own;
use crate::server::{Call, Reply, Service};
use crate::stream::{Inbound, Streamed};
use crate::{Code, Context, DomainError, Method, errors};

/// `grpc.reflection.v1.ServerReflection`, for a server. [`Reflection::v1`](super::Reflection::v1)
/// makes it.
#[derive(Clone, Debug)]
pub struct ReflectionV1(pub(super) Served);

/// `grpc.reflection.v1alpha.ServerReflection`, which older tools ask for.
/// [`Reflection::v1alpha`](super::Reflection::v1alpha) makes it.
#[derive(Clone, Debug)]
pub struct ReflectionV1Alpha(pub(super) Served);

impl Service for ReflectionV1 {
    const NAME: &'static str = "grpc.reflection.v1.ServerReflection";
    const METHODS: &'static [Method] = &[Method::bidi(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    )];
    const DESCRIPTORS: &'static [u8] = own::V1;

    fn dispatch(&self, call: Call) -> impl Future<Output = Reply> + Send + 'static {
        self.0.clone().dispatch(call)
    }
}

impl Service for ReflectionV1Alpha {
    const NAME: &'static str = "grpc.reflection.v1alpha.ServerReflection";
    const METHODS: &'static [Method] = &[Method::bidi(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    )];
    const DESCRIPTORS: &'static [u8] = own::V1ALPHA;

    fn dispatch(&self, call: Call) -> impl Future<Output = Reply> + Send + 'static {
        self.0.clone().dispatch(call)
    }
}

/// What both services answer from.
#[derive(Clone)]
pub(super) struct Served {
    pub(super) index: Arc<Index>,
    pub(super) stop: Stop,
}

impl Served {
    async fn dispatch(self, mut call: Call) -> Reply {
        match call.rpc() {
            "ServerReflectionInfo" => {
                call.bidi(|ctx, requests| {
                    let answers = Answers::new(self, ctx.clone(), requests);
                    async { Ok::<_, DomainError>(Streamed::new(answers)) }
                })
                .await
            }
            _ => call.unimplemented(),
        }
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.index.services().collect();
        f.debug_struct("Served")
            .field("services", &services)
            .finish_non_exhaustive()
    }
}

/// Ends all streams at once.
#[derive(Clone)]
pub(super) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    pub(super) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Waits for [`stop`](Self::stop). It holds the sender, so it ends with nothing else.
    async fn stopped(self) {
        // An error says that the sender is gone.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// The answers to the requests of one stream, one for each and none ahead of its request.
struct Answers {
    index: Arc<Index>,
    sent: Sent,
    call: Context,
    /// None once the stream has ended.
    requests: Option<Inbound<Request>>,
    // One box a stream.
    stopped: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Answers {
    fn new(served: Served, call: Context, requests: Inbound<Request>) -> Self {
        Self {
            index: served.index,
            sent: Sent::default(),
            call,
            requests: Some(requests),
            stopped: Box::pin(served.stop.stopped()),
        }
    }

    fn end(&mut self, error: DomainError) -> Poll<Option<Result<Response, DomainError>>> {
        self.requests = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for Answers {
    type Item = Result<Response, DomainError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let Some(requests) = &mut this.requests else {
            return Poll::Ready(None);
        };
        // First, so that a caller who keeps asking ends too.
        if this.stopped.as_mut().poll(cx).is_ready() {
            let message = "the server is shutting down";
            let status = errors::plain(Code::Unavailable, "DRAINING", message, &this.call);
            return this.end(status.into());
        }
        match ready!(Pin::new(requests).poll_next(cx)) {
            Some(Ok(request)) => {
                let answer = answer(&this.index, &mut this.sent, request);
                Poll::Ready(Some(Ok(answer)))
            }
            Some(Err(error)) => this.end(error.into()),
            None => {
                this.requests = None;
                Poll::Ready(None)
            }
        }
    }
}
