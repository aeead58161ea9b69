//! [`Net`]: hosts by name, each with what becomes of who connects to it.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep};

use crate::client::channel::{Connecting, Connector, IoStream};

/// A network in memory. Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Net(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    hosts: HashMap<String, Host>,
    dials: Vec<(Instant, String)>,
}

/// What becomes of who connects.
#[derive(Clone)]
pub(super) enum Host {
    Refuses,
    /// Connecting never ends.
    Hangs,
    /// Connected to, and says nothing.
    Mute,
    /// Closes at once.
    Closes,
    /// Sends its settings, and closes.
    ClosesSettled,
    Serves(Server),
}

/// A server of HTTP/2.
#[derive(Clone)]
pub(super) struct Server(Arc<Served>);

struct Served {
    answers: Answers,
    max_streams: Option<u32>,
    /// Says goodbye on all connections that it has, by this reason.
    goodbye: watch::Sender<Reason>,
    /// Resets calls that wait, by this reason.
    reset: watch::Sender<Option<Reason>>,
    /// Freed, a call is answered that waits.
    release: Notify,
    /// Calls that came, and those that are being held.
    calls: AtomicUsize,
    held: AtomicUsize,
    connections: AtomicUsize,
    resets: Mutex<Vec<Reason>>,
    /// As whom calls have addressed it.
    authorities: Mutex<BTreeSet<String>>,
}

/// How calls are answered.
#[derive(Clone, Copy, PartialEq, Eq)]
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

impl Net {
    /// Whoever connects to `name` finds this from now on.
    pub(super) fn put(&self, name: &str, host: Host) {
        let mut state = self.0.lock().unwrap();
        state.hosts.insert(name.to_owned(), host);
    }

    /// A server of this name.
    pub(super) fn serve(&self, name: &str, answers: Answers) -> Server {
        self.serve_at_once(name, answers, None)
    }

    /// The same, of so many calls on a connection at once.
    pub(super) fn serve_at_once(&self, name: &str, answers: Answers, max: Option<u32>) -> Server {
        let server = Server(Arc::new(Served {
            answers,
            max_streams: max,
            goodbye: watch::channel(Reason::NO_ERROR).0,
            reset: watch::channel(None).0,
            release: Notify::new(),
            calls: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            resets: Mutex::default(),
            authorities: Mutex::default(),
        }));
        self.put(name, Host::Serves(server.clone()));
        server
    }

    /// When `name` was connected to, or tried to be.
    pub(super) fn dials(&self, name: &str) -> Vec<Instant> {
        let state = self.0.lock().unwrap();
        let dials = state.dials.iter().filter(|(_, dialled)| dialled == name);
        dials.map(|(at, _)| *at).collect()
    }

    async fn connect(self, name: String) -> io::Result<Box<dyn IoStream>> {
        let host = {
            let mut state = self.0.lock().unwrap();
            state.dials.push((Instant::now(), name.clone()));
            state.hosts.get(&name).cloned()
        };
        let (ours, mut theirs) = duplex(1 << 20);
        match host {
            None | Some(Host::Refuses) => return Err(io::ErrorKind::ConnectionRefused.into()),
            Some(Host::Hangs) => std::future::pending().await,
            Some(Host::Mute) => {
                tokio::spawn(async move {
                    let _theirs = theirs;
                    std::future::pending::<()>().await;
                });
            }
            Some(Host::Closes) => {}
            Some(Host::ClosesSettled) => {
                let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
                theirs.write_all(&settings).await.unwrap();
                tokio::spawn(async move {
                    sleep(Duration::from_millis(1)).await;
                    drop(theirs);
                });
            }
            Some(Host::Serves(server)) => {
                tokio::spawn(server.connection(theirs));
            }
        }
        Ok(Box::new(ours))
    }
}

impl Connector for Net {
    fn connect<'a>(&'a self, endpoint: &'a str) -> Connecting<'a> {
        Box::pin(self.clone().connect(endpoint.to_owned()))
    }
}

impl Server {
    /// How many calls came.
    pub(super) fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
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

    /// Resets all calls that wait.
    pub(super) fn reset_all(&self, reason: Reason) {
        self.0.reset.send_replace(Some(reason));
    }

    async fn connection(self, stream: DuplexStream) {
        let _counted = counted(&self.0.connections);
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
        let body = request.body_mut();
        while let Some(data) = std::future::poll_fn(|cx| body.poll_data(cx)).await {
            let Ok(data) = data else { break };
            let _ = body.flow_control().release_capacity(data.len());
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
                let stream = respond.send_response(head(), false).unwrap();
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
        let _ = stream.send_data(Bytes::from_static(b"\0\0\0\0\x01a"), false);
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let _ = stream.send_trailers(trailers);
    }

    fn was_reset(&self, reset: &Result<Reason, h2::Error>) {
        if let Ok(reason) = reset {
            self.0.resets.lock().unwrap().push(*reason);
        }
    }
}
