//! [`Channel`], opened.

use std::fmt;
use std::io;
use std::sync::Arc;

use http::uri::Parts;
use http::{Request, Response, Uri};

use super::answer::Answer;
use super::cluster::Cluster;
use super::options::ChannelOptions;
use crate::client::{Attempt, ConnectError, RequestStream, Target, Transport, TransportError};

/// HTTP/2 connections to all endpoints of a target, made when they are needed and made anew when they
/// are lost. Clones share them; they close when the last one is dropped and the last call has ended.
///
/// A call waits for a connection that is being made. Where none can be made it fails at once, and the
/// endpoints are dialled again after 1, 1.6, 2.56 … seconds, 2 minutes at most (gRPC's
/// connection-backoff.md), however many calls there are.
#[derive(Clone)]
pub struct Channel {
    opened: Arc<Opened>,
}

/// Closes the cluster with the last channel: its tasks have it too.
struct Opened {
    target: Target,
    cluster: Arc<Cluster>,
}

impl Channel {
    /// Connects to `target`.
    ///
    /// # Errors
    ///
    /// When `target` is not valid, or none of its endpoints can be reached within 20 seconds.
    pub async fn connect(target: impl Into<Target>) -> Result<Self, ConnectError> {
        let channel = Self::connect_lazy(target)?;
        channel.ready().await?;
        Ok(channel)
    }

    /// Connects to `target` when the first call is made.
    ///
    /// # Errors
    ///
    /// When `target` is not valid.
    pub fn connect_lazy(target: impl Into<Target>) -> Result<Self, ConnectError> {
        Self::open(target.into(), ChannelOptions::default())
    }

    /// A channel that connects when the first call is made.
    pub(crate) fn open(target: Target, options: ChannelOptions) -> Result<Self, ConnectError> {
        let resolved = target.resolve(options.secure, options.tls.is_some())?;
        let cluster = Arc::new(Cluster::new(target.to_string(), resolved, options));
        Ok(Self {
            opened: Arc::new(Opened { target, cluster }),
        })
    }

    /// Ready once an endpoint is.
    pub(crate) async fn ready(&self) -> Result<(), ConnectError> {
        let ready = self.opened.cluster.ready().await;
        ready.map_err(|unready| {
            let error = io::Error::other(unready.to_string());
            ConnectError::connect(&self.opened.target, error)
        })
    }
}

impl Transport for Channel {
    type Body = Answer;

    async fn send(
        &self,
        mut request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<Answer>, TransportError> {
        let cluster = &self.opened.cluster;
        self.opened.complete(&mut request)?;
        let place = match cluster.place_now(attempt) {
            Some(place) => place,
            // Boxed, so that calls that needn't wait aren't larger for those that must.
            None => Box::pin(cluster.place_soon(attempt)).await?,
        };
        attempt.set_endpoint(place.connection.identity.name());
        place.send(request, attempt).await
    }
}

impl Opened {
    /// Adds what HTTP/2 wants beside the path.
    fn complete(&self, request: &mut Request<RequestStream>) -> Result<(), TransportError> {
        let target = &self.cluster.target;
        let mut parts = Parts::default();
        parts.scheme = Some(target.scheme());
        parts.authority = Some(target.authority.clone());
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts)
            .map_err(|error| TransportError::unavailable("the path is not valid", error))?;
        Ok(())
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.cluster.close();
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("target", &self.opened.target)
            .finish_non_exhaustive()
    }
}
