//! [`Server`]: one of HTTP/2, that answers as it is told.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::DuplexStream;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

/// A server of HTTP/2.
#[derive(Clone)]
pub(super) struct Server(Arc<Served>);

struct Served {
    answers: Answers,
    /// What goes wrong with each call, if anything does.
    draw: Option<Draw>,
    max_streams: Option<u32>,
    /// Says goodbye on all connections that it has, by this reason.
    goodbye: watch::Sender<Reason>,
    /// Resets calls that wait, by this reason.
    reset: watch::Sender<Option<Reason>>,
    /// Cuts all connections that it has.
    cut: watch::Sender<()>,
    /// Freed, a call is answered that waits.
    release: Notify,
    /// Calls that came, and those that are being held.
    calls: AtomicUsize,
    held: AtomicUsize,
    /// The first message of each call that was read, with its prefix: the server has acted upon it.
    acted: Mutex<Vec<Vec<u8>>>,
    connections: AtomicUsize,
    resets: Mutex<Vec<Reason>>,
    /// As whom calls have addressed it.
    authorities: Mutex<BTreeSet<String>>,
}

/// How calls are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    AtOnce,
    /// As a server that is down behind its proxy.
    Unavailable,
    /// As a proxy does for itself: with this HTTP status and content type, a word, and no gRPC status.
    Bare(u16, &'static str),
    /// When they are released.
    Held,
    /// The head is there at once, the rest when they are released.
    HeadThenHeld,
    After(Duration),
}

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Trouble {
    Reset(Reason),
    Silence,
}

/// Draws what goes wrong with the call that has come.
pub(super) type Draw = Box<dyn Fn() -> Option<Trouble> + Send + Sync>;

/// Counts while it is there.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn counted(count: &AtomicUsize) -> Counted<'_> {
    count.fetch_add(1, Ordering::SeqCst);
    Counted(count)
}

impl Server {
    pub(super) fn new(answers: Answers, max_streams: Option<u32>, draw: Option<Draw>) -> Self {
        Self(Arc::new(Served {
            answers,
            draw,
            max_streams,
            goodbye: watch::channel(Reason::NO_ERROR).0,
            reset: watch::channel(None).0,
            cut: watch::channel(()).0,
            release: Notify::new(),
            calls: AtomicUsize::new(0),
            acted: Mutex::default(),
            held: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            resets: Mutex::default(),
            authorities: Mutex::default(),
        }))
    }

    /// How many calls came.
    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// The first message of each call that it has acted upon.
    pub(super) fn acted(&self) -> Vec<Vec<u8>> {
        self.0.acted.lock().unwrap().clone()
    }

    /// How many wait to be released.
    pub(super) fn held(&self) -> usize {
        self.0.held.load(Ordering::SeqCst)
    }

    pub(super) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::SeqCst)
    }

    /// How calls that wait were reset.
    pub(super) fn resets(&self) -> Vec<Reason> {
        self.0.resets.lock().unwrap().clone()
    }

    /// As whom calls have addressed it.
    pub(super) fn authorities(&self) -> Vec<String> {
        let authorities = self.0.authorities.lock().unwrap();
        authorities.iter().cloned().collect()
    }

    /// Answers one call that waits.
    pub(super) fn release_one(&self) {
        self.0.release.notify_one();
    }

    /// Answers all calls that wait.
    pub(super) fn release(&self) {
        self.0.release.notify_waiters();
    }

    /// Says goodbye on the connections that are there: politely for `NO_ERROR`.
    pub(super) fn say_goodbye(&self, reason: Reason) {
        self.0.goodbye.send_replace(reason);
    }

    /// Cuts the connections that are there, without a word.
    pub(super) fn cut(&self) {
        self.0.cut.send_replace(());
    }

    /// Resets all calls that wait.
    pub(super) fn reset_all(&self, reason: Reason) {
        self.0.reset.send_replace(Some(reason));
    }

    pub(super) async fn connection(self, stream: DuplexStream) {
        let _counted = counted(&self.0.connections);
        let mut cut = self.0.cut.subscribe();
        let mut goodbye = self.0.goodbye.subscribe();
        let mut builder = h2::server::Builder::new();
        if let Some(max) = self.0.max_streams {
            builder.max_concurrent_streams(max);
        }
        let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
            return;
        };
        loop {
            tokio::select! {
                request = connection.accept() => match request {
                    Some(Ok((request, respond))) => {
                        self.0.calls.fetch_add(1, Ordering::SeqCst);
                        let authority = request.uri().authority().unwrap().to_string();
                        self.0.authorities.lock().unwrap().insert(authority);
                        tokio::spawn(self.clone().answer(request, respond));
                    }
                    _ => return,
                },
                Ok(()) = cut.changed() => return,
                Ok(()) = goodbye.changed() => {
                    match *goodbye.borrow_and_update() {
                        Reason::NO_ERROR => connection.graceful_shutdown(),
                        reason => connection.abrupt_shutdown(reason),
                    }
                }
            }
        }
    }

    async fn answer(self, mut request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
        let reply = self.read(request.body_mut()).await;
        match self.0.draw.as_ref().and_then(|draw| draw()) {
            Some(Trouble::Reset(reason)) => return respond.send_reset(reason),
            Some(Trouble::Silence) => {
                let _ = std::future::poll_fn(|cx| respond.poll_reset(cx)).await;
                return;
            }
            None => {}
        }
        let head = || {
            let mut head = Response::new(());
            let grpc = HeaderValue::from_static("application/grpc");
            head.headers_mut().insert("content-type", grpc);
            head
        };
        let mut sent = None;
        match self.0.answers {
            Answers::AtOnce => {}
            Answers::Unavailable => {
                let mut head = head();
                let status = HeaderValue::from_static("14");
                head.headers_mut().insert("grpc-status", status);
                let _ = respond.send_response(head, true);
                return;
            }
            Answers::Bare(http, content_type) => {
                let mut head = head();
                *head.status_mut() = http.try_into().unwrap();
                let content_type = HeaderValue::from_static(content_type);
                head.headers_mut().insert("content-type", content_type);
                // The client may have gone.
                if let Ok(mut stream) = respond.send_response(head, false) {
                    let _ = stream.send_data(Bytes::from_static(b"\0\0\0\0\x01a"), true);
                }
                return;
            }
            Answers::After(time) => sleep(time).await,
            Answers::HeadThenHeld => {
                let Ok(stream) = respond.send_response(head(), false) else {
                    return;
                };
                let mut stream = Box::pin(stream);
                let _held = counted(&self.0.held);
                tokio::select! {
                    () = self.0.release.notified() => {}
                    reset = std::future::poll_fn(|cx| stream.poll_reset(cx)) => return self.was_reset(&reset),
                }
                sent = Some(*Pin::into_inner(stream));
            }
            Answers::Held => {
                let _held = counted(&self.0.held);
                let mut resets = self.0.reset.subscribe();
                tokio::select! {
                    () = self.0.release.notified() => {}
                    Ok(()) = resets.changed() => {
                        let reason = *resets.borrow();
                        return respond.send_reset(reason.unwrap());
                    }
                    reset = std::future::poll_fn(|cx| respond.poll_reset(cx)) => return self.was_reset(&reset),
                }
            }
        }
        let stream = match sent {
            Some(stream) => Ok(stream),
            None => respond.send_response(head(), false),
        };
        // The client may have gone.
        let Ok(mut stream) = stream else { return };
        let _ = stream.send_data(reply, false);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let _ = stream.send_trailers(trailers);
    }

    /// Reads a request to its end; its first message is the reply.
    async fn read(&self, body: &mut RecvStream) -> Bytes {
        let (mut first, mut is_whole) = (Vec::new(), false);
        while let Some(Ok(data)) = std::future::poll_fn(|cx| body.poll_data(cx)).await {
            let _ = body.flow_control().release_capacity(data.len());
            if is_whole {
                continue;
            }
            first.extend_from_slice(&data);
            let length = first
                .get(1..5)
                .map(|length| u32::from_be_bytes(length.try_into().unwrap()));
            if let Some(length) = length.map(|length| 5 + length as usize)
                && length <= first.len()
            {
                first.truncate(length);
                is_whole = true;
                self.0.acted.lock().unwrap().push(first.clone());
            }
        }
        first.into()
    }

    fn was_reset(&self, reset: &Result<Reason, h2::Error>) {
        if let Ok(reason) = reset {
            self.0.resets.lock().unwrap().push(*reason);
        }
    }
}
