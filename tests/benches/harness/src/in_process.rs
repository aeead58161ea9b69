//! Calls without a socket: a request goes in whole, and its answer is read to the end at once.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body::{Body, Frame};

/// Calls that are timed, in batches so that their requests can be made before the clock runs.
const BATCHES: usize = 2_000;
const BATCH: usize = 100;
const WARM_UP: usize = 100;

/// The correlation id of a [`request`].
pub const CORRELATION_ID: &str = "0f7e0b1c-8a2e-4a60-9d3b-3f1f7ad0a3de";

/// The `main` of a side: `OPERATION` prints the nanoseconds of one call, as [`run`](crate::run) does
/// for one caller, and `OPERATION TIMES` makes that many calls and prints nothing, for callgrind.
///
/// `start` is given the name of the operation and hands it to [`Calls::of`]; it is false for one that
/// it doesn't know.
pub fn in_process(start: impl FnOnce(&str, Calls) -> bool) -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let operation = arguments.next().unwrap_or_default();
    let times = arguments.next().map(|times| times.parse());
    if let Ok(times) = times.transpose()
        && start(&operation, Calls { times })
    {
        return ExitCode::SUCCESS;
    }
    eprintln!("arguments: OPERATION [TIMES], and this side has no operation {operation:?}");
    ExitCode::FAILURE
}

/// How often to call.
#[derive(Clone, Copy, Debug)]
pub struct Calls {
    /// None where they are timed.
    times: Option<usize>,
}

impl Calls {
    /// Calls with what `prepare` makes, which doesn't count. That the answer is dropped counts.
    pub fn of<I, O>(self, prepare: impl Fn() -> I, call: impl Fn(I) -> O) -> bool {
        match self.times {
            Some(times) => {
                for _ in 0..times {
                    measured(&call, prepare());
                }
            }
            None => timed(prepare, call),
        }
        true
    }
}

/// What callgrind counts: see `scripts/bench-errors`, which knows this name.
#[inline(never)]
fn measured<I, O>(call: impl Fn(I) -> O, input: I) {
    black_box(call(black_box(input)));
}

/// Prints the time alone: an allocator that counts would be seen in calls as short as these.
fn timed<I, O>(prepare: impl Fn() -> I, call: impl Fn(I) -> O) {
    let mut elapsed = Duration::ZERO;
    // The first batches warm up.
    for batch in 0..BATCHES + WARM_UP {
        let inputs: Vec<I> = (0..BATCH).map(|_| prepare()).collect();
        let started = Instant::now();
        for input in inputs {
            measured(&call, input);
        }
        if batch >= WARM_UP {
            elapsed += started.elapsed();
        }
    }
    let calls = BATCHES * BATCH;
    println!("1 {:.1}", elapsed.as_nanos() as f64 / calls as f64);
}

/// A call of `path` with one message, as a client sends it.
pub fn request(path: &'static str, message: &Bytes) -> Request<Whole> {
    let mut request = Request::new(Whole::message(message.clone()));
    *request.method_mut() = http::Method::POST;
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = http::Uri::from_static(path);
    let headers = request.headers_mut();
    let value = HeaderValue::from_static;
    headers.insert(header::CONTENT_TYPE, value("application/grpc"));
    headers.insert(header::TE, value("trailers"));
    headers.insert(header::USER_AGENT, value("bench/1"));
    headers.insert("x-correlation-id", value(CORRELATION_ID));
    request
}

/// An encoded message as gRPC frames it.
#[must_use]
pub fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(5 + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.put_slice(message);
    frame.freeze()
}

/// A body that is there from the start: one message, and trailers where it is an answer.
#[derive(Debug, Default)]
pub struct Whole {
    message: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Whole {
    /// A request's.
    #[must_use]
    pub fn message(message: Bytes) -> Self {
        Self {
            message: Some(message),
            trailers: None,
        }
    }

    /// That of an answer to a call that went well.
    #[must_use]
    pub fn answer(message: Bytes) -> Self {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Self {
            message: Some(message),
            trailers: Some(trailers),
        }
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = match self.message.take() {
            Some(message) => Some(Frame::data(message)),
            None => self.trailers.take().map(Frame::trailers),
        };
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.message.is_none() && self.trailers.is_none()
    }
}

/// An answer that has been read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its headers, with the status of a call that failed before its first message.
    pub headers: HeaderMap,
    /// Its last frame of data.
    pub data: Option<Bytes>,
    /// Its trailers.
    pub trailers: Option<HeaderMap>,
}

/// Reads an answer to its end.
///
/// # Panics
///
/// When there is something to wait for, or its body breaks.
#[allow(clippy::panic, reason = "a bench without its figure is of no use")]
pub fn read<B: Body<Data = Bytes>>(response: Response<B>) -> Answer {
    let (parts, body) = response.into_parts();
    let mut answer = Answer {
        headers: parts.headers,
        data: None,
        trailers: None,
    };
    let mut body = pin!(body);
    // As hyper does, which doesn't ask a body that has ended.
    while !body.is_end_stream() {
        let frame = now(std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)));
        let Some(frame) = frame else { break };
        let Ok(frame) = frame else {
            panic!("the answer's body broke");
        };
        match frame.into_data() {
            Ok(data) => answer.data = Some(data),
            Err(frame) => answer.trailers = frame.into_trailers().ok(),
        }
    }
    answer
}

/// What `future` comes to, which waits for nothing.
///
/// # Panics
///
/// When it does.
#[allow(clippy::panic, reason = "a bench without its figure is of no use")]
pub fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing in this process is worth waiting for"),
    }
}
