//! A service in the process that writes down what it is called with.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context as Task, Poll};
use std::time::Duration;

use apibase::{
    Code, Context, DomainError, Inbound, Interceptors, ReplyBody, Streamed, TowerService,
    TypedMetadata as _,
};
use apibase_tests::tonic_echo::echo::api::{EchoServiceServer, EchoServicer};
use apibase_tests::tonic_echo::echo::{CollectReply, CountRequest, EchoReply, EchoRequest};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body::{Body, Frame};
use tokio::runtime::Runtime;
use tower_service::Service as _;

/// The names that metadata is tried under.
pub(super) const NAMES: [&str; 7] = [
    "x-correlation-id",
    "x-request-id",
    "traceparent",
    "x-text",
    "x-text",
    "x-value-bin",
    "x-value-bin",
];

/// The head of a call.
pub(super) fn post(path: &str) -> http::request::Builder {
    Request::post(path).header("content-type", "application/grpc")
}

/// A body that comes in these pieces.
pub(super) struct Pieces(pub(super) VecDeque<Bytes>);

impl Pieces {
    /// One message that is empty.
    pub(super) fn message() -> Self {
        Self(VecDeque::from([Bytes::from_static(&[0; 5])]))
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Task<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

/// What came of a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) body: Bytes,
    /// What the servicer was called with, if it was.
    pub(super) seen: Option<Seen>,
}

/// What a servicer sees of its call.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) remaining: Option<Duration>,
    pub(super) correlation_id: Option<String>,
    pub(super) trace_id: Option<String>,
}

/// A service in the process and the runtime it is called on.
pub(super) struct Served {
    runtime: Runtime,
    service: TowerService<EchoServiceServer<Watcher>>,
    seen: Arc<Mutex<Option<Seen>>>,
}

thread_local! {
    // Made once: a fuzzer calls a million times.
    static SERVED: RefCell<Served> = RefCell::new(Served::new());
}

impl Served {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
        let watcher = Watcher::default();
        let seen = Arc::clone(&watcher.0);
        let service = EchoServiceServer::new(watcher).into_service(Interceptors::none());
        Self {
            runtime,
            service: service.expect("a service"),
            seen,
        }
    }

    /// The answer to a request that is gRPC.
    pub(super) fn call(head: http::request::Builder, body: Pieces) -> Answer {
        Self::respond(head, body).1
    }

    /// The answer and its HTTP status.
    pub(super) fn respond(
        head: http::request::Builder,
        body: Pieces,
    ) -> (http::StatusCode, Answer) {
        let request = head.body(body).expect("a request");
        SERVED.with_borrow_mut(|served| {
            let Self {
                runtime,
                service,
                seen,
            } = served;
            let (response, body) = runtime.block_on(async {
                let calling = service.call(request);
                let (parts, body) = calling.await.expect("infallible").into_parts();
                (parts, read(body).await)
            });
            let (data, trailers) = body;
            let trailers = trailers.unwrap_or_default();
            let statuses = [&response.headers, &trailers].map(|map| map.get_all("grpc-status"));
            let statuses: Vec<_> = statuses.iter().flatten().collect();
            let code = match statuses[..] {
                [status] => Code::from_bytes(status.as_bytes()),
                // Who doesn't speak gRPC gets an HTTP status.
                [] if response.status != http::StatusCode::OK => Code::Unknown,
                _ => panic!("not one grpc-status: {statuses:?}"),
            };
            for message in [&response.headers, &trailers].map(|map| map.get("grpc-message")) {
                let is_visible = |byte: &u8| (b' '..=b'~').contains(byte);
                assert!(message.is_none_or(|text| text.as_bytes().iter().all(is_visible)));
            }
            let seen = lock(seen).take();
            let answer = Answer {
                code,
                body: data,
                seen,
            };
            (response.status, answer)
        })
    }
}

/// All of a body, and its trailers.
async fn read(body: ReplyBody) -> (Bytes, Option<HeaderMap>) {
    let mut body = std::pin::pin!(body);
    let (mut data, mut trailers) = (BytesMut::new(), None);
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.expect("infallible").into_data() {
            Ok(piece) => data.extend_from_slice(&piece),
            Err(frame) => trailers = frame.into_trailers().ok(),
        }
    }
    (data.freeze(), trailers)
}

fn lock(seen: &Mutex<Option<Seen>>) -> MutexGuard<'_, Option<Seen>> {
    seen.lock().expect("no servicer panics")
}

/// Writes down what it sees, and answers.
#[derive(Default)]
struct Watcher(Arc<Mutex<Option<Seen>>>);

impl Watcher {
    fn see(&self, ctx: &Context) {
        let metadata = ctx.metadata();
        for name in NAMES {
            // Whether these are values is theirs to say; they never panic.
            let _ = metadata.text::<String>(name);
            let _ = metadata.text::<u64>(name);
            let _ = metadata.message::<EchoReply>(name);
        }
        *lock(&self.0) = Some(Seen {
            remaining: ctx.remaining(),
            correlation_id: ctx.correlation_id().map(str::to_owned),
            trace_id: ctx.trace_id().map(str::to_owned),
        });
    }
}

impl EchoServicer for Watcher {
    async fn echo(&self, ctx: &Context, request: EchoRequest) -> Result<EchoReply, DomainError> {
        self.see(ctx);
        let payload = request.payload;
        Ok(EchoReply { payload, number: 0 })
    }

    async fn count(
        &self,
        ctx: &Context,
        _: CountRequest,
    ) -> Result<Streamed<EchoReply, DomainError>, DomainError> {
        self.see(ctx);
        Ok(Streamed::from_iter([]))
    }

    async fn collect(
        &self,
        ctx: &Context,
        mut requests: Inbound<EchoRequest>,
    ) -> Result<CollectReply, DomainError> {
        self.see(ctx);
        let mut collected = CollectReply::default();
        while let Some(request) = requests.message().await? {
            collected.count += 1;
            collected.payloads.extend(request.payload);
        }
        Ok(collected)
    }

    async fn chat(
        &self,
        ctx: &Context,
        _: Inbound<EchoRequest>,
    ) -> Result<Streamed<EchoReply, DomainError>, DomainError> {
        self.see(ctx);
        Ok(Streamed::from_iter([]))
    }

    async fn ping(&self, ctx: &Context, (): ()) -> Result<(), DomainError> {
        self.see(ctx);
        Ok(())
    }
}
