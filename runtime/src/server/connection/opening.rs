//! What comes before the first request: TLS where it is set, and the preface.

use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::Shared;
use super::preface::{self, Rewound};
use crate::server::socket::Socket;
#[cfg(feature = "tls")]
use crate::tls::PeerCertificate;

/// A connection that speaks HTTP/2.
pub(super) struct Opened {
    pub(super) io: Rewound<Socket>,
    /// Who its client is, where that has shown a certificate.
    #[cfg(feature = "tls")]
    pub(super) certificate: Option<Arc<PeerCertificate>>,
}

/// Gets a connection to where HTTP/2 begins, all of it within the time for handshakes.
pub(super) async fn open(socket: Socket, shared: Arc<Shared>) -> io::Result<Box<Opened>> {
    if let Err(error) = socket.set_nodelay() {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let (within, start) = (shared.limits.handshake, Instant::now());
    #[cfg(feature = "tls")]
    let (socket, certificate) = match &shared.tls {
        Some(tls) => tls.take(socket, within).await?,
        None => (socket, None),
    };
    let left = within.saturating_sub(start.elapsed());
    Ok(Box::new(Opened {
        io: preface::expect(socket, left).await?,
        #[cfg(feature = "tls")]
        certificate,
    }))
}
