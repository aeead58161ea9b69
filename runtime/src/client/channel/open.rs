//! [`Channel`], opened.

use std::fmt;
use std::io;
use std::sync::{Arc, Weak};

use http::uri::{Authority, Parts};
use http::{Request, Response, Uri};
use tokio::time::Instant;

use super::answer::Answer;
use super::cluster::Cluster;
use super::options::ChannelOptions;
use crate::client::{
    Attempt, ClientFactory, ConnectError, EndpointState, RequestStream, Target, Transport,
    TransportError, Upstream,
};
use crate::wire::timeout;
use crate::{CircuitBreaker, Method};

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
    upstream: Arc<Upstream>,
}

/// A channel that this doesn't hold open.
#[derive(Clone, Debug)]
pub(in crate::client) struct WeakChannel(Weak<Opened>);

impl WeakChannel {
    /// The channel, if it is still open.
    pub(in crate::client) fn upgrade(&self) -> Option<Channel> {
        let opened = self.0.upgrade()?;
        Some(Channel { opened })
    }

    pub(in crate::client) fn is_open(&self) -> bool {
        self.0.strong_count() > 0
    }
}

impl Channel {
    /// Connects to `target`, as the [environment](ClientFactory::from_env) has it.
    ///
    /// # Errors
    ///
    /// When `target` is not valid, none of its endpoints can be reached in time (20 seconds unless it is
    /// set otherwise), or the environment has settings of a client that are wrong.
    pub async fn connect(target: impl Into<Target>) -> Result<Self, ConnectError> {
        let channel = Self::connect_lazy(target)?;
        channel.ready().await?;
        Ok(channel)
    }

    /// Connects to `target` when the first call is made, as the [environment](ClientFactory::from_env)
    /// has it.
    ///
    /// # Errors
    ///
    /// When `target` is not valid, or the environment has settings of a client that are wrong.
    pub fn connect_lazy(target: impl Into<Target>) -> Result<Self, ConnectError> {
        let target = target.into();
        match ClientFactory::from_env() {
            Ok(factory) => factory.channel(target),
            Err(wrong) => Err(ConnectError::settings(&target, wrong)),
        }
    }

    /// A channel that connects when the first call is made. `upstream` makes what its stubs share, of the
    /// target's name and of whether nobody can read along.
    pub(in crate::client) fn open(
        target: Target,
        options: ChannelOptions,
        upstream: impl FnOnce(Arc<str>, bool) -> Upstream,
    ) -> Result<Self, ConnectError> {
        let resolved = target.resolve(options.secure, options.tls.is_some())?;
        let name = target.to_string();
        let upstream = Arc::new(upstream(name.as_str().into(), resolved.secure));
        let cluster = Arc::new(Cluster::new(name, resolved, options));
        Ok(Self {
            opened: Arc::new(Opened {
                target,
                cluster,
                upstream,
            }),
        })
    }

    /// The same channel, as long as others hold it open.
    pub(in crate::client) fn downgrade(&self) -> WeakChannel {
        WeakChannel(Arc::downgrade(&self.opened))
    }

    /// The circuit breaker of a method, for who looks at it or overrules it; `None` where its calls have
    /// none, and before the first stub of its service was made over this channel.
    #[must_use]
    pub fn circuit_breaker(&self, method: &Method) -> Option<CircuitBreaker> {
        self.opened.upstream.circuit_breaker(method)
    }

    /// The endpoints that it has now.
    pub(in crate::client) fn endpoints(&self) -> Vec<EndpointState> {
        self.opened.cluster.endpoints()
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

    fn upstream(&self) -> Option<&Arc<Upstream>> {
        Some(&self.opened.upstream)
    }

    async fn send(
        &self,
        mut request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> Result<Response<Answer>, TransportError> {
        let cluster = &self.opened.cluster;
        let place = match cluster.place_now(attempt) {
            Some(place) => place,
            // Boxed, so that calls that needn't wait aren't larger for those that must.
            None => {
                let place = Box::pin(cluster.place_soon(attempt)).await?;
                // The server is told what is left now.
                if let Some(deadline) = attempt.deadline() {
                    let remaining = deadline.saturating_duration_since(Instant::now());
                    if remaining.is_zero() {
                        // Whoever has set it ends this one now. The server isn't bothered any more.
                        drop(place);
                        return std::future::pending().await;
                    }
                    let timeout = timeout::write(remaining);
                    request.headers_mut().insert(timeout::GRPC_TIMEOUT, timeout);
                }
                place
            }
        };
        let identity = &place.connection.identity;
        attempt.set_endpoint(identity.name());
        self.opened.complete(&mut request, &identity.authority)?;
        place.send(request, attempt).await
    }
}

impl Opened {
    /// Adds what HTTP/2 wants beside the path.
    fn complete(
        &self,
        request: &mut Request<RequestStream>,
        authority: &Authority,
    ) -> Result<(), TransportError> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.cluster.target.scheme());
        parts.authority = Some(authority.clone());
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

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("target", &self.opened.target)
            .finish_non_exhaustive()
    }
}
