//! Hosts without sockets: channels connect to them by name, so that time can be virtual.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use apibase::{Code, Connecting, Connector, IoStream};
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::{HeaderValue, Request};
use tokio::io::DuplexStream;
use tokio::sync::Notify;

use crate::common::{frame, grpc_head, reply, trailers};

/// All hosts that there are. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Hosts(Arc<Mutex<HashMap<String, Host>>>);

/// A server that ends each call with the same code. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Host(Arc<State>);

#[derive(Default)]
struct State {
    code: AtomicI32,
    calls: AtomicUsize,
    is_down: AtomicBool,
    lose: Notify,
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
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            tokio::spawn(host.connection(theirs));
            Ok(Box::new(ours) as Box<dyn IoStream>)
        })
    }
}

impl Host {
    /// Ends calls so from now on.
    pub(crate) fn answers(&self, code: Code) {
        self.0.code.store(code as i32, SeqCst);
    }

    /// How many calls came since this was last asked.
    pub(crate) fn calls(&self) -> usize {
        self.0.calls.swap(0, SeqCst)
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
        let mut connection = h2::server::handshake(stream).await.unwrap();
        loop {
            tokio::select! {
                request = connection.accept() => match request {
                    Some(Ok((request, response))) => {
                        self.0.calls.fetch_add(1, SeqCst);
                        tokio::spawn(answer(self.0.code.load(SeqCst), request, response));
                    }
                    _ => return,
                },
                () = &mut lost => return,
            }
        }
    }
}

async fn answer(code: i32, mut request: Request<RecvStream>, mut response: SendResponse<Bytes>) {
    while let Some(Ok(_)) = request.body_mut().data().await {}
    if code != 0 {
        let mut head = grpc_head();
        let code = HeaderValue::from(code);
        head.headers_mut().insert("grpc-status", code);
        // The client may have gone, here as below.
        let _ = response.send_response(head, true);
        return;
    }
    let Ok(mut stream) = response.send_response(grpc_head(), false) else {
        return;
    };
    let _ = stream.send_data(frame(&reply(0, "")), false);
    let _ = stream.send_trailers(trailers(&[("grpc-status", "0")]));
}
