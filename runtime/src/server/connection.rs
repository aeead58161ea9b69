//! One connection: HTTP/2 by hyper, and each of its requests to its service.

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept::{Refused, accept};
use super::body::ReplyBody;
use super::call::Call;
use super::guard::CallGuard;
use super::interceptors::Interceptors;
use super::overdue::Overdue;
use super::request::RequestBody;
use super::service::{BoxDispatch, ErasedService};
use super::serving::Serving;
use crate::Method;
use crate::context::Peer;
use crate::wire::{CONNECTION_TO_STREAM, SERVER_STREAM_WINDOW};

/// A peer that resets streams before we have seen them is cut off after this many (the rapid reset
/// attack), and so is one that makes us reset them (`MadeYouReset`), for which hyper has no limit
/// unless one is set.
const MAX_RESETS: usize = 1024;

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) routes: HashMap<&'static str, Route>,
    pub(super) chain: Interceptors,
    pub(super) permits: Arc<Semaphore>,
    pub(super) max_concurrent_rpcs: usize,
    pub(super) max_message_size: usize,
}

/// Where a path leads.
pub(super) struct Route {
    pub(super) service: Arc<dyn ErasedService>,
    pub(super) method: &'static Method,
}

/// What tells a connection to stop, softly and hard.
#[derive(Clone)]
pub(super) struct Stop {
    /// No new calls; end when those that run have ended.
    pub(super) drain: CancellationToken,
    /// End now.
    pub(super) kill: CancellationToken,
}

/// Serves one connection until its peer closes it or it is told to stop.
pub(super) async fn serve(
    stream: TcpStream,
    peer: Peer,
    shared: Arc<Shared>,
    tracker: TaskTracker,
    stop: Stop,
) {
    // Without it the kernel holds back small writes, and a call waits 40 ms for its last frame.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, ?peer, "cannot set TCP_NODELAY");
    }
    // One stream more than calls, so that it is our refusal that a peer gets.
    let streams = shared.max_concurrent_rpcs.saturating_add(1).max(200);
    let requests = Requests {
        shared,
        peer: peer.clone(),
    };
    let connection = http2::Builder::new(Tracked(tracker))
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(u32::try_from(streams).unwrap_or(u32::MAX))
        // A caller may give up all its calls at once, before we have seen them. hyper would take
        // more than 20 of them for an attack, and close the connection under the other calls.
        .max_pending_accept_reset_streams(streams.min(MAX_RESETS))
        .max_local_error_reset_streams(MAX_RESETS)
        .initial_stream_window_size(SERVER_STREAM_WINDOW)
        .initial_connection_window_size(SERVER_STREAM_WINDOW * CONNECTION_TO_STREAM)
        .serve_connection(TokioIo::new(stream), requests);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = stop.drain.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => Some(ended),
                () = stop.kill.cancelled() => None,
            }
        }
    };
    match ended {
        Some(Ok(())) => {}
        Some(Err(error)) => tracing::debug!(%error, ?peer, "a connection failed"),
        None => tracing::warn!(
            ?peer,
            "a connection was cut off: its calls outlasted the grace"
        ),
    }
}

/// The requests of one connection.
struct Requests {
    shared: Arc<Shared>,
    peer: Peer,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<ReplyBody>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let shared = &*self.shared;
        let chain = &shared.chain;
        let (parts, body) = request.into_parts();
        let route = shared.routes.get(parts.uri.path());
        let method = route.map(|route| route.method);
        let (context, method) = match accept(parts, Some(self.peer.clone()), method, chain) {
            Ok(accepted) => accepted,
            Err(refused) => return Answering::refused(refused.respond(chain)),
        };
        let permit = Arc::clone(&shared.permits).try_acquire_owned();
        let (Some(route), Ok(permit)) = (route, permit) else {
            let refused = Refused::overloaded(method.path(), shared.max_concurrent_rpcs);
            return Answering::refused(refused.respond(chain));
        };
        let guard = CallGuard::new(context.clone(), method, Some(permit));
        let body = RequestBody::Own(body);
        let call = Call::new(context, method, body, shared.max_message_size);
        Answering::Serving {
            serving: Serving::new(route.service.dispatch_boxed(call), guard),
        }
    }
}

pin_project_lite::pin_project! {
    /// A request being answered.
    #[project = AnsweringProjection]
    enum Answering {
        Refused { response: Option<Response<ReplyBody>> },
        Serving {
            #[pin]
            serving: Serving<BoxDispatch>,
        },
    }
}

impl Answering {
    fn refused(response: Response<ReplyBody>) -> Self {
        Self::Refused {
            response: Some(response),
        }
    }
}

impl Future for Answering {
    type Output = Result<Response<ReplyBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Task<'_>) -> Poll<Self::Output> {
        match self.project() {
            AnsweringProjection::Refused { response } => {
                Poll::Ready(Ok(response.take().unwrap_or_default()))
            }
            AnsweringProjection::Serving { serving } => serving.poll(cx).map(Ok),
        }
    }
}

/// Spawns hyper's tasks where the server can wait for them.
#[derive(Clone)]
struct Tracked(TaskTracker);

impl<F> hyper::rt::Executor<F> for Tracked
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        self.0.spawn(Overdue::new(task));
    }
}
