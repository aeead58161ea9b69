//! [`Connection`]: one of HTTP/2, and the [`Place`]s of the calls on it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use bytes::Bytes;
use h2::SendStream;
use h2::client::{self, ResponseFuture, SendRequest};
use http::Request;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::endpoint::Identity;
use super::keepalive::Keepalive;
use super::line::Line;
use super::options::IoStream;
use super::watched::Watched;
use crate::Code;
use crate::client::TransportError;
use crate::client::balance::Started;
use crate::client::health::HealthWatch;
use crate::client::transport::next_event;
use crate::wire::{CLIENT_STREAM_WINDOW, CONNECTION_TO_STREAM};

/// What a server may send as headers or trailers, in bytes. We send 8 KiB; others put whole stack
/// traces into an error's details, and with h2's own limit of 16 KiB such an error would be a broken
/// connection.
const MAX_REPLY_HEADERS: u32 = 256 * 1024;

/// How much of a request waits here for the server's window, beyond the message that is being sent.
const SEND_BUFFER: usize = 1024 * 1024;

/// One connection of HTTP/2. It closes when this is dropped and its last call has ended.
pub(super) struct Connection {
    pub(super) identity: Arc<Identity>,
    pub(super) line: Arc<Line>,
    sender: SendRequest<Bytes>,
    since: Instant,
    /// Whether it has answered a call.
    answered: AtomicBool,
    /// What its loss is to all calls on it: one event.
    event: u64,
    /// Asks its server for its health, as long as it is there.
    health: Option<AbortOnDrop>,
}

/// A task that ends with who holds this.
struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A call's place on a connection. Dropping it gives it back, and ends the call for the endpoint's
/// statistics.
pub(super) struct Place {
    pub(super) connection: Arc<Connection>,
    /// Taken when the call ends.
    started: Option<Started>,
    code: Option<Code>,
    deadline: Option<Instant>,
}

/// Tells the line when the task that drives the connection is no more, however it ended.
struct Over(Arc<Line>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.end();
        self.0.over.notify_one();
    }
}

impl Connection {
    /// Shakes hands on `io`, and waits for the server's SETTINGS: one that takes connections and says
    /// nothing, or closes them, was not connected to.
    pub(super) async fn open(
        io: Box<dyn IoStream>,
        identity: Arc<Identity>,
        line: Arc<Line>,
        keepalive: Option<Keepalive>,
    ) -> io::Result<Self> {
        let watched = Watched::new(io, Arc::clone(&line));
        let (sender, mut connection) = builder().handshake(watched).await.map_err(to_io)?;
        std::future::poll_fn(|cx| match Pin::new(&mut connection).poll(cx) {
            Poll::Pending if line.is_settled() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(_) if line.is_alien() => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "what answers there does not speak HTTP/2",
            ))),
            Poll::Ready(Ok(())) => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the server closed the connection before it said anything",
            ))),
            Poll::Ready(Err(error)) => Poll::Ready(Err(to_io(error))),
        })
        .await?;
        line.set_max(connection.max_concurrent_send_streams());

        let pings = keepalive.and_then(|set| Some((set, connection.ping_pong()?)));
        let over = Over(Arc::clone(&line));
        let driver = tokio::spawn(drive(connection, over));
        if let Some((keepalive, pings)) = pings {
            let driver = driver.abort_handle();
            tokio::spawn(keepalive.watch(pings, Arc::clone(&line), driver));
        }
        Ok(Self {
            identity,
            line,
            sender,
            since: Instant::now(),
            answered: AtomicBool::new(false),
            event: next_event(),
            health: None,
        })
    }

    /// Takes no calls from now on but while its server says that it is well.
    pub(super) fn watch_health(&mut self, watch: HealthWatch) {
        self.line.doubt();
        let line = Arc::clone(&self.line);
        let watching = watch.run(self.sender.clone(), move |serving| line.diagnose(&serving));
        self.health = Some(AbortOnDrop(tokio::spawn(watching).abort_handle()));
    }

    /// A place for a call, if there is one.
    pub(super) fn place(self: &Arc<Self>) -> Option<Place> {
        self.line.take_place().then(|| Place {
            started: Some(self.identity.candidate.started()),
            connection: Arc::clone(self),
            code: None,
            deadline: None,
        })
    }

    /// Hands a request's head to HTTP/2.
    pub(super) fn request(
        &self,
        head: Request<()>,
        is_all: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), TransportError> {
        // h2 lets a handle have one request only that waits for the server's limit; a new handle has
        // none. It is the place that limits how many there are.
        let mut sender = self.sender.clone();
        sender.send_request(head, is_all).map_err(|error| {
            // It closed between being taken and being used, or has no number left for another stream:
            // whatever it is, there are no more calls on it.
            self.line.say_goodbye(false);
            let closing = "the connection closed before the request was sent";
            TransportError::unavailable(closing, error)
                .unseen()
                .of_event(self.event)
        })
    }

    /// What an error of a stream amounts to.
    pub(super) fn failure(&self, error: h2::Error) -> TransportError {
        let of_connection = error.is_io() || (error.is_go_away() && error.is_remote());
        let failure = match self.line.cause() {
            Some(cause) if error.is_io() => {
                TransportError::broken(io::Error::new(io::ErrorKind::TimedOut, cause))
            }
            _ => TransportError::broken(error),
        };
        match of_connection {
            true => failure.of_event(self.event),
            false => failure,
        }
    }

    /// A call was answered.
    pub(super) fn note_answer(&self) {
        if !self.answered.load(Ordering::Relaxed) {
            self.answered.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was of use, and how long it has been there.
    pub(super) fn merits(&self) -> (bool, std::time::Duration) {
        let answered = self.answered.load(Ordering::Relaxed);
        (answered, self.since.elapsed())
    }
}

impl Place {
    /// A call that is given up from then on was not answered in time.
    pub(super) fn until(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The call broke. What breaks all calls of a connection is no sign of how the endpoint does: it is
    /// connected to anew, and backs off if it can't be.
    pub(super) fn broke(&mut self, error: &TransportError) {
        if error.event().is_none() {
            self.ended(error.code());
        }
    }

    /// The call's final status came.
    pub(super) fn ended(&mut self, code: Code) {
        self.code = Some(code);
    }

    /// Whether it came already.
    pub(super) fn has_ended(&self) -> bool {
        self.code.is_some()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(started) = self.started.take() {
            let late = || self.deadline.filter(|deadline| *deadline <= Instant::now());
            let code = self.code.or_else(|| late().map(|_| Code::DeadlineExceeded));
            self.connection.identity.finished(started, code);
        }
        self.connection.line.free_place();
    }
}

/// Reads and writes until the last handle and the last stream are gone, or it breaks.
async fn drive(mut connection: client::Connection<Watched, Bytes>, over: Over) {
    let result = std::future::poll_fn(|cx| {
        let result = Pin::new(&mut connection).poll(cx);
        over.0.set_max(connection.max_concurrent_send_streams());
        result
    })
    .await;
    if let Err(error) = result {
        tracing::debug!(%error, "a connection failed");
    }
}

fn builder() -> client::Builder {
    let mut builder = client::Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(CLIENT_STREAM_WINDOW)
        .initial_connection_window_size(CLIENT_STREAM_WINDOW * CONNECTION_TO_STREAM)
        .max_send_buffer_size(SEND_BUFFER)
        .max_header_list_size(MAX_REPLY_HEADERS)
        // An answer to a call that was given up here, by its deadline above all, may find its stream
        // forgotten. h2 resets it and counts that, over the connection's whole life; from 1,024 on it
        // breaks the connection with all calls on it. The bound keeps servers from MadeYouReset: work
        // that goes on for streams that are reset and no longer count against their limit. A client's
        // streams are its own, and bring it no work.
        .max_local_error_reset_streams(None);
    builder
}

fn to_io(error: h2::Error) -> io::Error {
    match error.is_io() {
        true => error
            .into_io()
            .unwrap_or_else(|| io::ErrorKind::Other.into()),
        false => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::uri::Authority;
    use http::{HeaderMap, HeaderValue};
    use tokio::io::duplex;
    use tokio::sync::Notify;
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::client::balance::{Balance, Candidate, Ejector, OutlierEjection};
    use crate::client::channel::endpoint::{Address, Endpoint};
    use crate::client::channel::queue::Queue;
    use crate::client::resolve::Named;
    use crate::client::transport::Progress;
    use crate::client::{Attempt, RequestStream};

    struct Fixture {
        connection: Arc<Connection>,
        server: AbortHandle,
    }

    impl Fixture {
        async fn new() -> Self {
            let (ours, theirs) = duplex(1 << 16);
            let serving = tokio::spawn(async move {
                let mut connection = h2::server::handshake(theirs).await.unwrap();
                let mut calls: Vec<h2::server::SendResponse<Bytes>> = Vec::new();
                while let Some(Ok((_, respond))) = connection.accept().await {
                    calls.push(respond);
                }
            });
            let ejector = Arc::new(Ejector::new(OutlierEjection::new(), |_| {}));
            let address = Named {
                it: Address::Name("a:1".to_owned()),
                authority: Authority::from_static("a:1"),
            };
            let identity = Endpoint::new(address, Balance::RoundRobin, &ejector).identity;
            let other = Arc::new(Candidate::new("b:1".into(), Balance::RoundRobin));
            let members = vec![Arc::clone(&identity.candidate), other];
            assert!(ejector.set_members(members).is_empty());
            let line = Line::new(Arc::new(Notify::new()), Arc::new(Queue::new(1)));
            let io = Box::new(ours);
            let opened = Connection::open(io, identity, Arc::new(line), None);
            Self {
                connection: Arc::new(opened.await.unwrap()),
                server: serving.abort_handle(),
            }
        }

        async fn send(&self, place: Place, change: impl FnOnce(&mut HeaderMap)) -> TransportError {
            let body = RequestStream::message(Bytes::from_static(b"\0\0\0\0\0"));
            let mut request = Request::new(body);
            *request.uri_mut() = http::Uri::from_static("http://a:1/echo.EchoService/Echo");
            change(request.headers_mut());
            let mut attempt = Attempt::first();
            let sent = place.send(request, &mut attempt);
            let sent = timeout(Duration::from_secs(5), sent).await;
            sent.expect("it hangs").unwrap_err()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_whose_http2_takes_a_request_no_more_is_left() {
        let fixture = Fixture::new().await;
        let place = fixture.connection.place().unwrap();
        assert!(fixture.connection.line.is_open());
        // As it is when all numbers of streams are used up, which takes too long for a test.
        let error = fixture.send(place, |headers| {
            headers.insert("connection", HeaderValue::from_static("close"));
        });
        assert_eq!(error.await.progress(), Progress::Refused);
        assert!(!fixture.connection.line.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn rule_07_a_call_whose_connection_closes_before_it_is_sent_was_not_seen() {
        let fixture = Fixture::new().await;
        let places: Vec<_> = (0..10).map(|_| fixture.connection.place()).collect();
        fixture.server.abort();
        sleep(Duration::from_millis(1)).await;
        for place in places {
            let error = fixture.send(place.unwrap(), |_| {}).await;
            assert_eq!(error.progress(), Progress::Refused, "{error}");
            assert!(error.event().is_some());
        }
        let candidate = &fixture.connection.identity.candidate;
        assert!(!candidate.is_ejected(), "that is no sign of how it does");
    }
}
