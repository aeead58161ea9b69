//! [`Handshake`]: from a socket to one that is encrypted, and to who is at its other end.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use rustls::{InvalidMessage, ServerConfig};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use crate::server::socket::Socket;
use crate::tls::{H2, PeerCertificate};

/// Makes handshakes, with what the files said last.
pub(in crate::server) struct Handshake {
    config: RwLock<Arc<ServerConfig>>,
}

impl Handshake {
    pub(super) fn new(config: Arc<ServerConfig>) -> Self {
        Self {
            config: RwLock::new(config),
        }
    }

    /// Takes this from the next handshake on.
    pub(super) fn set(&self, config: Arc<ServerConfig>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    fn config(&self) -> Arc<ServerConfig> {
        let config = self.config.read();
        Arc::clone(&config.unwrap_or_else(PoisonError::into_inner))
    }

    /// Encrypts a connection, and reads who is at its other end, once for all of its calls.
    ///
    /// # Errors
    ///
    /// When it isn't done in time, and when the peer doesn't speak TLS, or not HTTP/2, or isn't one that
    /// is let in.
    pub(in crate::server) async fn take(
        &self,
        socket: Socket,
        within: Duration,
    ) -> io::Result<(Socket, Option<Arc<PeerCertificate>>)> {
        let taken = timeout(within, self.take_any(socket)).await;
        taken.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no TLS handshake in time"))?
    }

    async fn take_any(&self, socket: Socket) -> io::Result<(Socket, Option<Arc<PeerCertificate>>)> {
        let mut stream = TlsAcceptor::from(self.config())
            .accept(socket)
            .await
            .map_err(explained)?;
        let (_, connection) = stream.get_ref();
        if connection.alpn_protocol() != Some(H2) {
            // rustls refuses who offers something else, and lets in who offers nothing.
            let _ = stream.shutdown().await;
            let why = "the client doesn't offer HTTP/2: its ALPN lacks `h2`";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        let shown = connection.peer_certificates();
        let certificate = match shown.and_then(<[_]>::first) {
            Some(der) => Some(Arc::new(PeerCertificate::read(der).ok_or_else(|| {
                let why = "the client's certificate can't be read";
                io::Error::new(io::ErrorKind::InvalidData, why)
            })?)),
            None => None,
        };
        Ok((Socket::Tls(Box::new(stream)), certificate))
    }
}

/// What rustls says, in the words of who has to find out what the client does.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
            let why = "what came is not TLS: the client may be set to plaintext";
            io::Error::new(io::ErrorKind::InvalidData, why)
        }
        _ => error,
    }
}
