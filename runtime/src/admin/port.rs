//! [`AdminPort`]: takes in the requests of the admin port, with bounds of its own.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::desk::Desk;

/// Connections at once. For one more, the oldest is closed: an honest one is done within milliseconds.
const MOST_CONNECTIONS: usize = 32;

/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);

/// How long a connection may take in all: its one request, and the answer.
const REQUEST: Duration = Duration::from_secs(10);

/// The largest head that is read, in bytes.
const LARGEST_HEAD: usize = 16 * 1024;

/// The fields that a head may have.
const MOST_FIELDS: usize = 64;

/// How long `accept` pauses after an error: without a pause it would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The admin port, which listens and doesn't answer yet.
pub(crate) struct AdminPort {
    listener: TcpListener,
    address: SocketAddr,
    desk: Desk,
}

impl AdminPort {
    /// Listens.
    pub(crate) async fn bind(address: SocketAddr, desk: Desk) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        if !address.ip().to_canonical().is_loopback() {
            tracing::warn!(
                %address,
                "the admin port can be reached from elsewhere, and asks nobody who they are: see \
                 that only those reach it who may see who calls what"
            );
        }
        Ok(Self {
            listener,
            address,
            desk,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers requests for ever. When it is dropped, so is all that it does.
    pub(crate) async fn run(self) {
        let desk = Arc::new(self.desk);
        let mut connections = JoinSet::new();
        let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        oldest.retain(|connection| !connection.is_finished());
                        if oldest.len() >= MOST_CONNECTIONS
                            && let Some(connection) = oldest.pop_front()
                        {
                            connection.abort();
                        }
                        let connection = serve(stream, Arc::clone(&desk));
                        oldest.push_back(connections.spawn(connection));
                    }
                    Err(error) => {
                        tracing::debug!(%error, "cannot accept a connection of the admin port");
                        sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}

/// Answers the one request of a connection. With more, an idle one would keep its place.
async fn serve(stream: TcpStream, desk: Arc<Desk>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (request, _) = request.into_parts();
        ready(Ok::<_, Infallible>(desk.answer(&request)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(REQUEST, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection of the admin port failed"),
        Err(_) => tracing::debug!("a connection of the admin port took too long"),
    }
}

impl fmt::Debug for AdminPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdminPort").field(&self.address).finish()
    }
}
