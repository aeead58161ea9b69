//! Hosts without sockets: channels connect to them by name, so that time can be virtual.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use apibase::{Code, Connecting, Connector, IoStream};
use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{HeaderValue, Request};
use tokio::io::DuplexStream;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::common::{frame, grpc_head, reply, trailers};

/// All hosts that there are. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Hosts(Arc<Mutex<HashMap<String, Host>>>);

/// A server that does the same with each call. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Host(Arc<State>);

#[derive(Default)]
struct State {
    does: Mutex<Does>,
    /// How many calls a connection takes at once, and how long it takes to make one.
    max_streams: AtomicU32,
    connect_time: Mutex<Duration>,
    calls: AtomicUsize,
    connections: AtomicUsize,
    timeouts: Mutex<Vec<String>>,
    resets: Mutex<Vec<Reason>>,
    is_down: AtomicBool,
    lose: Notify,
}

/// What a [`Host`] does with a call. What ends with silence lasts until the client resets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Does {
    #[default]
    Reply,
    Fail(Code),
    Silence,
    HeadThenSilence,
    HalfAReplyThenSilence,
    ReplyThenSilence,
    HeadThenReset,
}

impl Hosts {
    /// A host of this name.
    pub(crate) fn host(&self, name: &str) -> Host {
        let mut hosts = self.0.lock().unwrap();
        hosts.entry(name.to_owned()).or_default().clone()
    }
}

impl Connector for Hosts {
    fn connect<'a>(&'a self, endpoint: &'a str) -> Connecting<'a> {
        Box::pin(async {
            let host = self.host(endpoint);
            if host.0.is_down.load(SeqCst) {
                return Err(io::ErrorKind::ConnectionRefused.into());
            }
            let time = *host.0.connect_time.lock().unwrap();
            sleep(time).await;
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(host.connection(theirs));
            Ok(Box::new(ours) as Box<dyn IoStream>)
        })
    }
}

impl Host {
    /// Ends calls so from now on.
    pub(crate) fn answers(&self, code: Code) {
        self.does(match code {
            Code::Ok => Does::Reply,
            code => Does::Fail(code),
        });
    }

    /// Does this with calls from now on.
    pub(crate) fn does(&self, does: Does) {
        *self.0.does.lock().unwrap() = does;
    }

    /// Takes so many calls at once on a connection that is made from now on.
    pub(crate) fn takes_at_once(&self, max: u32) {
        self.0.max_streams.store(max, SeqCst);
    }

    /// It takes so long to connect to it.
    pub(crate) fn connects_in(&self, time: Duration) {
        *self.0.connect_time.lock().unwrap() = time;
    }

    /// What `grpc-timeout` was in each call since this was last asked.
    pub(crate) fn timeouts(&self) -> Vec<String> {
        std::mem::take(&mut self.0.timeouts.lock().unwrap())
    }

    /// How calls that it was silent on were reset since this was last asked.
    pub(crate) fn resets(&self) -> Vec<Reason> {
        std::mem::take(&mut self.0.resets.lock().unwrap())
    }

    /// How many calls came since this was last asked.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.swap(0, SeqCst)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(SeqCst)
    }

    /// Closes its connections, and takes no others.
    pub(crate) fn goes_down(&self) {
        self.0.is_down.store(true, SeqCst);
        self.0.lose.notify_waiters();
    }

    /// Takes connections again.
    pub(crate) fn comes_up(&self) {
        self.0.is_down.store(false, SeqCst);
    }

    async fn connection(self, stream: DuplexStream) {
        let mut lost = std::pin::pin!(self.0.lose.notified());
        lost.as_mut().enable();
        self.0.connections.fetch_add(1, SeqCst);
        let mut builder = h2::server::Builder::new();
        match self.0.max_streams.load(SeqCst) {
            0 => {}
            max => drop(builder.max_concurrent_streams(max)),
        }
        // A client may have given up by now.
        let Ok(mut connection) = builder.handshake(stream).await else {
            return;
        };
        loop {
            tokio::select! {
                request = connection.accept() => match request {
                    Some(Ok((request, response))) => {
                        self.0.calls.fetch_add(1, SeqCst);
                        tokio::spawn(self.clone().call(request, response));
                    }
                    _ => return,
                },
                () = &mut lost => return,
            }
        }
    }

    async fn call(self, mut request: Request<RecvStream>, mut response: SendResponse<Bytes>) {
        let timeout = request.headers().get("grpc-timeout");
        let timeout = timeout.map_or("", |timeout| timeout.to_str().unwrap());
        self.0.timeouts.lock().unwrap().push(timeout.to_owned());
        let does = *self.0.does.lock().unwrap();
        while let Some(Ok(_)) = request.body_mut().data().await {}
        if let Does::Fail(code) = does {
            let mut head = grpc_head();
            let code = HeaderValue::from(code as i32);
            head.headers_mut().insert("grpc-status", code);
            // The client may have gone, here as below.
            let _ = response.send_response(head, true);
            return;
        }
        if does == Does::Silence {
            let reset = std::future::poll_fn(|cx| response.poll_reset(cx)).await;
            self.0.resets.lock().unwrap().extend(reset);
            return;
        }
        let Ok(mut stream) = response.send_response(grpc_head(), false) else {
            return;
        };
        let mut reply = frame(&reply(7, "a reply"));
        match does {
            Does::HeadThenSilence | Does::HeadThenReset => reply.clear(),
            Does::HalfAReplyThenSilence => reply.truncate(reply.len() / 2),
            _ => {}
        }
        if !reply.is_empty() {
            let _ = stream.send_data(reply, false);
        }
        if does == Does::Reply {
            let _ = stream.send_trailers(trailers(&[("grpc-status", "0")]));
            return;
        }
        if does == Does::HeadThenReset {
            // The clock goes on only when nobody has anything to do: the head has come by then, which a
            // reset would overtake.
            sleep(Duration::from_millis(1)).await;
            return stream.send_reset(Reason::INTERNAL_ERROR);
        }
        let reset = std::future::poll_fn(|cx| stream.poll_reset(cx)).await;
        self.0.resets.lock().unwrap().extend(reset);
    }
}
