//! [`Channel`]: our own transport, one HTTP/2 connection to a target.

#[cfg(feature = "client")]
pub use self::connected::Channel;
#[cfg(not(feature = "client"))]
pub use self::disabled::Channel;

#[cfg(feature = "client")]
mod connected {
    use std::fmt;
    use std::io;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use http::uri::{Parts, Scheme};
    use http::{Request, Response, Uri};
    use hyper::body::Incoming;
    use hyper::client::conn::http2::{self, SendRequest};
    use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
    use tokio::net::TcpStream;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use crate::client::target::Resolved;
    use crate::client::{
        Attempt, ConnectError, Reached, RequestStream, Target, Transport, TransportError,
    };
    use crate::wire::{CLIENT_STREAM_WINDOW, CONNECTION_TO_STREAM};

    /// How long connecting may take, whatever a call's deadline: gRPC's own bound
    /// (connection-backoff.md, `MIN_CONNECT_TIMEOUT`).
    const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

    /// One HTTP/2 connection to a target, made anew when it is lost. Clones share it.
    #[derive(Clone)]
    pub struct Channel {
        shared: Arc<Shared>,
    }

    type Connection = SendRequest<RequestStream>;

    struct Shared {
        target: Target,
        resolved: Resolved,
        current: Mutex<Option<Connection>>,
        /// The attempt to connect that is under way. It is a task of its own: a call that has no time
        /// left to wait for it leaves it to the next one, rather than starting over.
        dialling: tokio::sync::Mutex<Option<JoinHandle<io::Result<Connection>>>>,
    }

    impl Channel {
        /// Connects to `target`.
        ///
        /// # Errors
        ///
        /// When `target` is not valid or can't be reached within 20 seconds.
        pub async fn connect(target: impl Into<Target>) -> Result<Self, ConnectError> {
            let channel = Self::connect_lazy(target)?;
            let connected = channel.shared.connection().await;
            connected.map_err(|error| ConnectError::connect(&channel.shared.target, error))?;
            Ok(channel)
        }

        /// Connects to `target` when the first call is made.
        ///
        /// # Errors
        ///
        /// When `target` is not valid.
        pub fn connect_lazy(target: impl Into<Target>) -> Result<Self, ConnectError> {
            let target = target.into();
            let resolved = target.resolve()?;
            Ok(Self {
                shared: Arc::new(Shared {
                    target,
                    resolved,
                    current: Mutex::new(None),
                    dialling: tokio::sync::Mutex::new(None),
                }),
            })
        }
    }

    impl Transport for Channel {
        type Body = Incoming;

        async fn send(
            &self,
            mut request: Request<RequestStream>,
            attempt: &mut Attempt,
        ) -> Result<Response<Incoming>, TransportError> {
            self.shared.complete(&mut request)?;
            attempt.set_reached(Reached::Connecting);
            // The second try is for a connection that closes between being taken and being used.
            for _ in 0..2 {
                let mut connection = self.shared.connection().await.map_err(|error| {
                    TransportError::unavailable("cannot connect to the server", error)
                })?;
                attempt.set_reached(Reached::Sent);
                match connection.try_send_request(request).await {
                    Ok(response) => {
                        attempt.set_reached(Reached::Answered);
                        return Ok(response);
                    }
                    Err(mut error) => match error.take_message() {
                        Some(unsent) => request = unsent,
                        None => return Err(TransportError::broken(error.into_error())),
                    },
                }
            }
            let closed = io::Error::from(io::ErrorKind::NotConnected);
            Err(TransportError::unavailable(
                "the server closes its connections",
                closed,
            ))
        }
    }

    impl Shared {
        /// Adds what HTTP/2 wants beside the path.
        fn complete(&self, request: &mut Request<RequestStream>) -> Result<(), TransportError> {
            let mut parts = Parts::default();
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(self.resolved.authority.clone());
            parts.path_and_query = request.uri().path_and_query().cloned();
            *request.uri_mut() = Uri::from_parts(parts)
                .map_err(|error| TransportError::unavailable("the path is not valid", error))?;
            Ok(())
        }

        /// The connection, or a new one in its place.
        async fn connection(&self) -> io::Result<Connection> {
            if let Some(connection) = self.live() {
                return Ok(connection);
            }
            let mut dialling = self.dialling.lock().await;
            if let Some(connection) = self.live() {
                return Ok(connection);
            }
            let attempt = dialling.get_or_insert_with(|| {
                tokio::spawn(dial(self.target.clone(), self.resolved.clone()))
            });
            let dialled = attempt.await;
            *dialling = None;
            let connection = dialled.map_err(io::Error::other)??;
            let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            *current = Some(connection.clone());
            Ok(connection)
        }

        fn live(&self) -> Option<Connection> {
            let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
            current
                .as_ref()
                .filter(|connection| !connection.is_closed())
                .cloned()
        }
    }

    /// What a server may send as headers or trailers, in bytes. We send 8 KiB; others put whole stack
    /// traces into an error's details, and with hyper's own limit of 16 KiB such an error would be a
    /// broken connection.
    const MAX_REPLY_HEADERS: u32 = 256 * 1024;

    async fn dial(target: Target, resolved: Resolved) -> io::Result<Connection> {
        let address = (resolved.host.as_str(), resolved.port);
        let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address))
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        // Without it the kernel holds back small writes, and a call waits 40 ms for its end.
        stream.set_nodelay(true)?;
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(CLIENT_STREAM_WINDOW)
            .initial_connection_window_size(CLIENT_STREAM_WINDOW * CONNECTION_TO_STREAM)
            .max_header_list_size(MAX_REPLY_HEADERS)
            // An answer to a call that was given up here, by its deadline above all, may find its stream
            // forgotten. h2 resets it and counts that, over the connection's whole life; from 1,024 on
            // it breaks the connection with all calls on it. The bound keeps servers from MadeYouReset:
            // work that goes on for streams that are reset and no longer count against their limit. A
            // client's streams are its own, and bring it no work.
            .max_local_error_reset_streams(None)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        // Ends when the last clone of its sender is dropped, and its last call has ended.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %target, "a connection failed");
            }
        });
        Ok(sender)
    }

    impl fmt::Debug for Channel {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Channel")
                .field("target", &self.shared.target)
                .finish_non_exhaustive()
        }
    }
}

#[cfg(not(feature = "client"))]
mod disabled {
    use std::convert::Infallible;

    use http::{Request, Response};

    use crate::client::{Attempt, ConnectError, RequestStream, Target, Transport, TransportError};

    /// One HTTP/2 connection to a target. Without the feature `client` there is none.
    #[derive(Clone, Debug)]
    pub struct Channel {
        never: Infallible,
    }

    impl Channel {
        /// Says that the feature `client` is off.
        ///
        /// # Errors
        ///
        /// Always.
        #[allow(clippy::unused_async, reason = "the signature of the real one")]
        pub async fn connect(target: impl Into<Target>) -> Result<Self, ConnectError> {
            Self::connect_lazy(target)
        }

        /// Says that the feature `client` is off.
        ///
        /// # Errors
        ///
        /// Always.
        pub fn connect_lazy(target: impl Into<Target>) -> Result<Self, ConnectError> {
            Err(ConnectError::off(&target.into()))
        }
    }

    impl Transport for Channel {
        type Body = tonic::body::Body;

        async fn send(
            &self,
            _request: Request<RequestStream>,
            _attempt: &mut Attempt,
        ) -> Result<Response<Self::Body>, TransportError> {
            match self.never {}
        }
    }
}
