//! [`Reload`]: takes up what is new in the files of a server, while it serves.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::Tls;
use super::handshake::Handshake;
use super::loaded::{Loaded, Looked};
use crate::tls::{Broken, News, Pem, Standing, Validity};

/// What looks at the files again and again.
pub(in crate::server) struct Reload {
    handshake: Arc<Handshake>,
    loaded: Loaded,
    chain: Pem,
    interval: Duration,
    /// How the certificate stood when that was last told.
    told: Standing,
}

impl Tls {
    /// Reads the files, and makes what handshakes take of them.
    pub(in crate::server) async fn load(self) -> Result<(Arc<Handshake>, Reload), Broken> {
        let (chain, interval) = (self.chain.clone(), self.reload_interval);
        let clients = self.clients()?;
        let loaded = spawn_blocking(move || Loaded::load(&self)).await;
        let loaded = loaded.map_err(|error| Broken::tls(error.to_string()))??;
        let handshake = Arc::new(Handshake::new(loaded.config()?));
        tracing::info!(certificate = %chain, client_certificates = clients, "serving over TLS");
        let mut reload = Reload {
            handshake: Arc::clone(&handshake),
            loaded,
            chain,
            interval,
            told: Standing::Good,
        };
        reload.tell_standing();
        Ok((handshake, reload))
    }

    /// What is asked of clients, for the log.
    fn clients(&self) -> Result<&'static str, Broken> {
        match (&self.client_ca, self.client_certificates) {
            (Some(_), wanted) => Ok(wanted.unwrap_or_default().as_str()),
            (None, None) => Ok("not asked for"),
            (None, Some(_)) => Err(Broken::tls(
                "client certificates are asked for, and no CA is given that they are of",
            )),
        }
    }
}

impl Reload {
    /// Looks at the files at every interval, for ever. Reading them may block, so that is done on a
    /// thread where it holds nobody up.
    pub(in crate::server) async fn run(mut self) {
        loop {
            sleep(self.interval).await;
            let mut loaded = self.loaded;
            let looking = spawn_blocking(move || {
                let looked = loaded.look();
                (loaded, looked)
            });
            let Ok((loaded, looked)) = looking.await else {
                tracing::error!("looking at the certificates failed; they are reloaded no more");
                return;
            };
            self.loaded = loaded;
            self.take(looked);
            self.tell_standing();
        }
    }

    fn take(&mut self, looked: Looked) {
        let Looked { own, roots, config } = looked;
        let config = match config.transpose() {
            Ok(config) => config,
            Err(error) => return tell_broken(&error),
        };
        if let Some(config) = config {
            self.handshake.set(config);
        }
        match own {
            News::None => {}
            News::Renewed => {
                self.told = Standing::Good;
                let validity = self.loaded.validity();
                let until = validity.map(Validity::until);
                tracing::info!(certificate = %self.chain, until, "the certificate was reloaded");
            }
            News::Broken(error) => tell_broken(&error),
        }
        match roots {
            News::None => {}
            News::Renewed => tracing::info!("the CAs of client certificates were reloaded"),
            News::Broken(error) => tell_broken(&error),
        }
    }

    /// Says once that the certificate can't be used, or not for long.
    fn tell_standing(&mut self) {
        let Some(validity) = self.loaded.validity() else {
            return;
        };
        validity.tell(&self.chain, &mut self.told);
    }
}

fn tell_broken(error: &Broken) {
    tracing::warn!(%error, "what is new is not used; serving on with what was good");
}
