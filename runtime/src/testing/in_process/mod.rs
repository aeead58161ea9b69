//! [`InProcess`]: a service called without a socket.

mod pipe;

use std::convert::Infallible;
use std::fmt;
use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tower_service::Service as _;

use self::pipe::{Reader, Writer, pipe};
use crate::client::{Attempt, Reached, RequestStream, Transport, TransportError};
use crate::interceptors::{ChainError, Interceptors};
use crate::observe::{Event, Observer};
use crate::server::{ReplyBody, Service, TowerService};
use crate::{BoxError, Method};

/// A [`Transport`] to a service in this process, without a socket: for tests, in virtual time too.
///
/// All that the wire does to a call is done to it here: messages are encoded and decoded, metadata and
/// trailers go both ways, errors become statuses with their details and are read back, the server's
/// side reads `grpc-timeout` and keeps the deadline for itself, a panic is INTERNAL, and `detached`
/// methods finish when their callers have gone. The servicer runs on a task of its own, and goes on
/// while nobody polls the client; a caller that drops its call has the servicer dropped. In a stream,
/// 64 KiB wait for their reader, as much as HTTP/2 begins with, and then the sender waits.
///
/// What belongs to connections isn't here: there is no peer, no TLS, no limit on calls at once, and
/// nothing is compressed unless the chain says so.
///
/// A servicer that fails with an error which its method doesn't declare (`errors` in the method's
/// options) makes the call panic here, and every later one over the same transport: the declared
/// errors are the contract, and a test is where breaking it should show.
///
/// Clones are the same.
///
/// ```ignore
/// let items = ItemServiceClient::new(InProcess::new(ItemServiceServer::new(Items::default())));
/// let item = items.get_item(&Context::background(), request).await?;
/// ```
#[derive(Clone)]
pub struct InProcess {
    shared: Arc<Shared>,
}

struct Shared {
    service: &'static str,
    answer: Box<dyn Fn(Request<Reader>) -> Answer + Send + Sync>,
    contract: Arc<Contract>,
    endpoint: Arc<str>,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<ReplyBody>, Infallible>> + Send>>;

impl InProcess {
    /// Calls `service`, with nothing around it: nobody is asked for a token, whatever the proto says.
    ///
    /// # Panics
    ///
    /// When a method of the service asks for what only [interceptors](Self::behind) have.
    #[must_use]
    #[allow(clippy::panic, reason = "a test fails by panicking")]
    pub fn new<S: Service>(service: S) -> Self {
        Self::behind(Interceptors::none().guarded_elsewhere(), service).unwrap_or_else(|error| {
            panic!("{error}; `InProcess::behind` takes interceptors that have what it asks for")
        })
    }

    /// Calls `service`, with `chain` around it.
    ///
    /// # Errors
    ///
    /// When a method of the service asks for what `chain` doesn't have.
    pub fn behind<S: Service>(chain: Interceptors, service: S) -> Result<Self, ChainError> {
        let contract = Arc::new(Contract::default());
        let chain = chain.with_observer(Arc::<Contract>::clone(&contract));
        let service = TowerService::new(service, chain)?;
        Ok(Self {
            shared: Arc::new(Shared {
                service: S::NAME,
                answer: Box::new(move |request| service.clone().call(request)),
                contract,
                endpoint: Arc::from("in-process"),
            }),
        })
    }
}

impl Transport for InProcess {
    type Body = InProcessBody;

    async fn send(
        &self,
        request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<InProcessBody>, TransportError> {
        self.shared.contract.hold();
        attempt.set_endpoint(&self.shared.endpoint);
        let (parts, body) = request.into_parts();
        let (to_server, requests) = pipe();
        let answer = (self.shared.answer)(Request::from_parts(parts, requests));
        let (to_client, head) = oneshot::channel();
        let work = tokio::spawn(async move {
            tokio::select! {
                biased;
                () = respond(answer, to_client) => {}
                never = upload(body, to_server) => match never {},
            }
        });
        let call = Call(work.abort_handle());
        attempt.set_reached(Reached::Sent);
        let answered = head.await;
        self.shared.contract.hold();
        let response = answered.map_err(|_| {
            TransportError::broken("the task of the call has ended without an answer")
        })?;
        attempt.set_reached(Reached::Answered);
        Ok(response.map(|replies| InProcessBody {
            replies,
            contract: Arc::clone(&self.shared.contract),
            _call: call,
        }))
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess")
            .field("service", &self.shared.service)
            .finish_non_exhaustive()
    }
}

/// Sends the requests as there is room for them, whether they are read or not; what is left of them is
/// dropped with the call.
async fn upload(mut requests: RequestStream, mut to: Writer) -> Infallible {
    let mut requests = Pin::new(&mut requests);
    while !requests.is_end_stream() {
        poll_fn(|cx| to.poll_room(cx)).await;
        match poll_fn(|cx| requests.as_mut().poll_frame(cx)).await {
            Some(Ok(frame)) => to.send(frame),
            Some(Err(_)) => to.reset(),
            None => break,
        }
    }
    to.finish();
    pending().await
}

/// Sends the answer as there is room for it.
async fn respond(answer: Answer, head: oneshot::Sender<Response<Reader>>) {
    let Ok(response) = answer.await;
    let (parts, body) = response.into_parts();
    let (mut to, replies) = pipe();
    if body.is_end_stream() {
        to.finish();
    }
    // Where the caller has gone, this task ends at its next wait.
    let _ = head.send(Response::from_parts(parts, replies));
    let mut body = pin!(body);
    while !body.is_end_stream() {
        poll_fn(|cx| to.poll_room(cx)).await;
        match poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            Some(Ok(frame)) => to.send(frame),
            Some(Err(never)) => match never {},
            None => break,
        }
    }
    to.finish();
}

/// The body of an answer from [`InProcess`].
pub struct InProcessBody {
    replies: Reader,
    contract: Arc<Contract>,
    _call: Call,
}

impl Body for InProcessBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.replies).poll_frame(cx);
        self.contract.hold();
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.replies.is_end_stream()
    }
}

impl fmt::Debug for InProcessBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcessBody").finish_non_exhaustive()
    }
}

/// The client's hold on a call: dropping it resets the call's stream, of which nothing is left when
/// the call has ended.
struct Call(AbortHandle);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The errors that methods declare, and the first that broke it.
#[derive(Default)]
struct Contract {
    broken: OnceLock<String>,
}

impl Contract {
    /// Whoever calls hears of it: the servicer's own task is no part of a test.
    #[allow(clippy::panic, reason = "a test fails by panicking")]
    fn hold(&self) {
        if let Some(broken) = self.broken.get() {
            panic!("{broken}");
        }
    }
}

impl Observer for Contract {
    fn observe(&self, event: &Event<'_>) {
        if let Event::Undeclared { method, reason, .. } = event {
            // The first is told.
            let _ = self.broken.set(undeclared(method, reason));
        }
    }
}

/// What is said of an error that a method doesn't declare.
pub(super) fn undeclared(method: &Method, reason: &str) -> String {
    let declared = method.declared_errors().join("`, `");
    format!(
        "`{method}` fails with `{reason}`, and declares `{declared}` alone: add it to the method's \
         `errors` in the proto, or fail with a declared one"
    )
}
