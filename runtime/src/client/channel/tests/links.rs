//! [`Link`]: the way to a host and back, which can be cut without anybody's being told.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex, split};
use tokio::sync::watch;
use tokio::time::sleep;

/// A segment that asks for a connection is sent again after these times, as Linux does it.
const SYN_AGAIN: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(16),
    Duration::from_secs(32),
];

/// The way to a host and back. Clones are the same.
///
/// While it is cut nothing arrives: no bytes, no end, no connection. TCP sends again what got lost, so
/// that all of it arrives, in order, once the link is healed: bytes that its sender has long given up,
/// too.
#[derive(Clone, Default)]
pub(super) struct Link {
    there: Way,
    back: Way,
}

/// What doesn't get across.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Both,
    /// Requests don't, replies do.
    There,
    /// Replies don't, requests do.
    Back,
}

impl Cut {
    pub(super) const ALL: [Self; 3] = [Self::Both, Self::There, Self::Back];
}

/// One direction: whether it is cut.
#[derive(Clone)]
struct Way(watch::Sender<bool>);

impl Default for Way {
    fn default() -> Self {
        Self(watch::channel(false).0)
    }
}

impl Link {
    pub(super) fn cut(&self, cut: Cut) {
        self.there.0.send_replace(cut != Cut::Back);
        self.back.0.send_replace(cut != Cut::There);
    }

    pub(super) fn heal(&self) {
        for way in [&self.there, &self.back] {
            way.0.send_replace(false);
        }
    }

    fn is_cut(&self) -> bool {
        [&self.there, &self.back].iter().any(|way| *way.0.borrow())
    }

    /// Both ends of a connection, once a segment and its answer get across.
    pub(super) async fn connect(self) -> io::Result<(DuplexStream, DuplexStream)> {
        for wait in SYN_AGAIN {
            if !self.is_cut() {
                return Ok(self.ends());
            }
            sleep(wait).await;
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn ends(self) -> (DuplexStream, DuplexStream) {
        let (ours, near) = duplex(1 << 20);
        let (far, theirs) = duplex(1 << 20);
        let (near_read, near_write) = split(near);
        let (far_read, far_write) = split(far);
        tokio::spawn(self.there.carry(near_read, far_write));
        tokio::spawn(self.back.carry(far_read, near_write));
        (ours, theirs)
    }
}

impl Way {
    /// Carries all bytes, and their end, as long as it isn't cut.
    async fn carry(
        self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut cut = self.0.subscribe();
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from.read(&mut buffer).await?;
            // The sender has it as long as anybody has.
            let _ = cut.wait_for(|is_cut| !is_cut).await;
            if read == 0 {
                return to.shutdown().await;
            }
            to.write_all(&buffer[..read]).await?;
        }
    }
}
