//! The signals that stop a server, and the one that asks what it does.

use std::sync::atomic::{AtomicBool, Ordering};

/// Waits for SIGTERM or SIGINT (Ctrl-C), whichever comes first.
///
/// Where a signal can't be listened to, it is left out, with a warning.
///
/// A server that drains because of one of them stops at once when another one comes.
pub async fn shutdown_signal() {
    signal().await;
    HEARD.store(true, Ordering::Relaxed);
}

/// Whether [`shutdown_signal`] was waited for to its end: then the signals are meant for us.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Waits for another signal after the one of [`shutdown_signal`]; for ever where there was none.
pub(super) async fn again() {
    if HEARD.load(Ordering::Relaxed) {
        signal().await;
    } else {
        std::future::pending::<()>().await;
    }
}

async fn signal() {
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "cannot listen for SIGINT");
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => {
            tracing::warn!(%error, "cannot listen for SIGTERM");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

/// SIGUSR1, each time that it comes.
pub(super) struct Asked(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Asked {
    /// Listens from now on, if it is wanted.
    pub(super) fn listen(is_wanted: bool) -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            if !is_wanted {
                return Self(None);
            }
            match signal(SignalKind::user_defined1()) {
                Ok(signal) => Self(Some(signal)),
                Err(error) => {
                    tracing::warn!(%error, "cannot listen for SIGUSR1");
                    Self(None)
                }
            }
        }
        #[cfg(not(unix))]
        {
            if is_wanted {
                tracing::warn!("there is no SIGUSR1 on this system");
            }
            Self()
        }
    }

    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
