//! [`Handshakes`]: from a connection to one that is encrypted, to the server that is meant.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::task::spawn_blocking;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::ClientTls;
use super::explained::explained;
use super::loaded::Loaded;
use crate::client::channel::{Connecting, IoStream, Secure};
use crate::tls::{Broken, H2};

/// Makes handshakes, with what the files said last. There is no task that looks at them: that is done
/// when a connection is made, on a thread where it holds nobody up.
pub(super) struct Handshakes {
    shared: Arc<Shared>,
}

struct Shared {
    tls: ClientTls,
    loaded: Mutex<Option<Loaded>>,
    /// A handshake failed: what the files say may be why, and may be mended already.
    has_failed: AtomicBool,
}

/// A connection that is encrypted.
///
/// With TLS 1.3 a client has ended its handshake before the server has seen its certificate, so a server
/// that doesn't take it says so where the first bytes are expected. It says it in plain words here, too.
#[derive(Debug)]
pub(super) struct Secured<S> {
    stream: TlsStream<S>,
}

impl Handshakes {
    pub(super) fn new(tls: ClientTls) -> Self {
        Self {
            shared: Arc::new(Shared {
                tls,
                loaded: Mutex::default(),
                has_failed: AtomicBool::new(false),
            }),
        }
    }

    /// Encrypts `stream`, a connection to the server at `host`, which its certificate has to be for unless
    /// a server name is set.
    ///
    /// # Errors
    ///
    /// When a file can't be used, and when the server doesn't speak TLS, or not HTTP/2, or isn't the one
    /// that is meant: each says what is wrong and what to do.
    pub(super) async fn handshake<S>(&self, host: &str, stream: S) -> io::Result<Secured<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let config = self.config().await?;
        let secured = self.shake(config, host, stream).await;
        self.shared
            .has_failed
            .store(secured.is_err(), Ordering::Relaxed);
        secured
    }

    async fn shake<S>(
        &self,
        config: Arc<ClientConfig>,
        host: &str,
        stream: S,
    ) -> io::Result<Secured<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tls = &self.shared.tls;
        let host = tls.server_name.as_deref().unwrap_or(host);
        // An IPv6 address may have the brackets of its URI.
        let name = host.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|_| {
            let why = format!(
                "`{host}` is not a name that a certificate can be for; set one by \
                 `ClientTls::server_name`"
            );
            io::Error::new(io::ErrorKind::InvalidInput, why)
        })?;
        let mut stream = TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| explained(error, tls, host))?;
        if stream.get_ref().1.alpn_protocol() != Some(H2) {
            let _ = stream.shutdown().await;
            let why = "the server doesn't speak HTTP/2: it took none of the ALPN protocols, which is `h2`";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Ok(Secured { stream })
    }

    async fn config(&self) -> io::Result<Arc<ClientConfig>> {
        let shared = Arc::clone(&self.shared);
        let config = spawn_blocking(move || shared.config()).await;
        config
            .map_err(io::Error::other)?
            .map_err(|broken| io::Error::new(io::ErrorKind::InvalidInput, broken))
    }
}

impl Secure for Handshakes {
    fn handshake<'a>(&'a self, name: &'a str, stream: Box<dyn IoStream>) -> Connecting<'a> {
        Box::pin(async move {
            let secured = self.handshake(name, stream).await?;
            Ok(Box::new(secured) as Box<dyn IoStream>)
        })
    }
}

impl Shared {
    /// What a handshake takes now. It may block.
    fn config(&self) -> Result<Arc<ClientConfig>, Broken> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(loaded) = loaded.as_mut() {
            let has_failed = self.has_failed.swap(false, Ordering::Relaxed);
            if has_failed || loaded.looked().elapsed() >= self.tls.reload_interval {
                loaded.look();
            }
            return Ok(loaded.config());
        }
        // What can't be loaded is tried again with the next connection.
        Ok(loaded.insert(Loaded::load(&self.tls)?).config())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Secured<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        read.map_err(super::explained::refused)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Secured<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
