//! [`Server`]: what is served, and how.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::config::{ConfigError, ServerConfig};
use super::connection::{Route, Shared};
use super::error::ServerError;
use super::interceptors::Interceptors;
use super::listen::BoundServer;
use super::service::{ErasedService, Service};
use super::signal::shutdown_signal;
use crate::wire::DEFAULT_MAX_MESSAGE_SIZE;

/// A gRPC server over HTTP/2.
///
/// Listens on 0.0.0.0:50051, takes at most 100 calls at once, and when it is told to stop gives
/// them 5 seconds to end, unless it is set otherwise.
///
/// ```no_run
/// # async fn serve<S: apibase::codegen::Service>(items: S) -> Result<(), Box<dyn std::error::Error>> {
/// apibase::Server::from_env()?
///     .add_servicer(items)
///     .serve_until(apibase::shutdown_signal())
///     .await?;
/// # Ok(()) }
/// ```
pub struct Server {
    /// None where the environment doesn't say.
    enabled: Option<bool>,
    host: IpAddr,
    port: u16,
    max_concurrent_rpcs: usize,
    max_message_size: usize,
    grace: Duration,
    chain: Interceptors,
    /// Whether callers see errors that are redacted otherwise, where the environment says so.
    detailed_errors: bool,
    services: Vec<Arc<dyn ErasedService>>,
}

impl Server {
    /// A server with the defaults and no service.
    #[must_use]
    pub fn new() -> Self {
        Self {
            enabled: None,
            host: Ipv4Addr::UNSPECIFIED.into(),
            port: 50051,
            max_concurrent_rpcs: 100,
            max_message_size: DEFAULT_MAX_MESSAGE_SIZE,
            grace: Duration::from_secs(5),
            chain: Interceptors::none(),
            detailed_errors: false,
            services: Vec::new(),
        }
    }

    /// A server as the environment has it: `GRPC__SERVER__HOST`, `GRPC__SERVER__PORT`,
    /// `GRPC__SERVER__MAX_CONCURRENT_RPCS`, and for development `GRPC__SERVER__DETAILED_ERRORS`
    /// ([`ErrorPolicy::with_details`]). With `GRPC__SERVER__ENABLED=false`, serving returns at once and
    /// says so in the log.
    ///
    /// [`ErrorPolicy::with_details`]: crate::ErrorPolicy::with_details
    ///
    /// # Errors
    ///
    /// When a key that starts with `GRPC__SERVER__` is unknown, or its value is not what it takes.
    pub fn from_env() -> Result<Self, ConfigError> {
        Ok(Self::new().configured(&ServerConfig::read(std::env::vars_os())?))
    }

    /// Listens on this address of the machine. Default: 0.0.0.0, all of them.
    #[must_use]
    pub fn host(mut self, host: impl Into<IpAddr>) -> Self {
        self.host = host.into();
        self
    }

    /// Listens on this port; 0 takes a free one, which [`BoundServer::local_addr`] tells.
    /// Default: 50051.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Takes at most this many calls at once; one more is answered with `RESOURCE_EXHAUSTED` at once.
    /// A call counts until its last trailer. Default: 100.
    #[must_use]
    pub fn max_concurrent_rpcs(mut self, max: usize) -> Self {
        self.max_concurrent_rpcs = max;
        self
    }

    /// Reads messages up to this many bytes; a larger one is answered with `RESOURCE_EXHAUSTED`.
    /// Default: 4 MiB.
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// Gives calls this long to end when the server is told to stop; then they are cut off.
    /// Default: 5 seconds.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Puts `chain` around every call. Default: nothing.
    #[must_use]
    pub fn interceptors(mut self, chain: Interceptors) -> Self {
        self.chain = chain;
        self
    }

    /// Serves `service`, a generated server type, too.
    #[must_use]
    pub fn add_servicer(mut self, service: impl Service) -> Self {
        self.services.push(Arc::new(service));
        self
    }

    /// Listens, so that the address is known before the first call comes in; whatever
    /// `GRPC__SERVER__ENABLED` says.
    ///
    /// # Errors
    ///
    /// When the address can't be listened on, a service was added twice, or the
    /// [`ErrorPolicy`](crate::ErrorPolicy) names an error that no service has.
    pub async fn bind(mut self) -> Result<BoundServer, ServerError> {
        let routes = self.routes()?;
        self.check_errors()?;
        let addr = SocketAddr::new(self.host, self.port);
        let listener = TcpListener::bind(addr)
            .await
            .map_err(|error| ServerError::bind(addr, error))?;
        let local_addr = listener
            .local_addr()
            .map_err(|error| ServerError::bind(addr, error))?;
        let shared = Shared {
            routes,
            chain: self.chain,
            permits: Arc::new(Semaphore::new(
                self.max_concurrent_rpcs.min(Semaphore::MAX_PERMITS),
            )),
            max_concurrent_rpcs: self.max_concurrent_rpcs,
            max_message_size: self.max_message_size,
        };
        Ok(BoundServer::new(listener, local_addr, shared, self.grace))
    }

    /// Serves until SIGTERM or SIGINT, then stops as [`serve_until`](Self::serve_until) does.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve(self) -> Result<(), ServerError> {
        self.serve_until(shutdown_signal()).await
    }

    /// Serves until `signal` is there. Then no new call is taken, those that run have the grace to
    /// end, and what is left is cut off.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve_until(self, signal: impl Future<Output = ()>) -> Result<(), ServerError> {
        if self.enabled == Some(false) {
            tracing::info!("not serving: GRPC__SERVER__ENABLED is false");
            return Ok(());
        }
        self.bind().await?.serve_until(signal).await;
        Ok(())
    }

    /// Serves as [`serve_until`](Self::serve_until) does, but only where the environment says
    /// `GRPC__SERVER__ENABLED=true`: for programs in which gRPC is one interface among others.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve_if_enabled(
        self,
        signal: impl Future<Output = ()>,
    ) -> Result<(), ServerError> {
        if self.enabled.is_none() {
            tracing::info!("not serving: GRPC__SERVER__ENABLED is not set");
            return Ok(());
        }
        self.serve_until(signal).await
    }

    fn configured(mut self, config: &ServerConfig) -> Self {
        self.enabled = config.enabled.or(self.enabled);
        self.host = config.host.unwrap_or(self.host);
        self.port = config.port.unwrap_or(self.port);
        self.max_concurrent_rpcs = config
            .max_concurrent_rpcs
            .unwrap_or(self.max_concurrent_rpcs);
        self.detailed_errors = config.detailed_errors.unwrap_or(self.detailed_errors);
        self
    }

    /// What is set about errors that no service has does nothing, so it is a mistake.
    fn check_errors(&mut self) -> Result<(), ServerError> {
        if self.detailed_errors {
            self.chain.show_details();
        }
        let Some(chain) = self.chain.chain() else {
            return Ok(());
        };
        if chain.errors.shows_details() {
            tracing::warn!("callers see internal errors with all their causes: not for production");
        }
        let tables: Vec<_> = self
            .services
            .iter()
            .map(|service| service.errors())
            .collect();
        match chain.errors.unknown(&tables) {
            Some(error) => Err(ServerError::unknown_error(error)),
            None => Ok(()),
        }
    }

    /// Every path that is served.
    fn routes(&self) -> Result<HashMap<&'static str, Route>, ServerError> {
        let mut routes = HashMap::new();
        for (index, service) in self.services.iter().enumerate() {
            let earlier = self.services.iter().take(index);
            if earlier
                .into_iter()
                .any(|other| other.name() == service.name())
            {
                return Err(ServerError::duplicate(service.name()));
            }
            for method in service.methods() {
                let service = Arc::clone(service);
                routes.insert(method.path(), Route { service, method });
            }
        }
        Ok(routes)
    }
}

impl Default for Server {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.services.iter().map(|service| service.name()).collect();
        f.debug_struct("Server")
            .field("enabled", &self.enabled)
            .field("host", &self.host)
            .field("port", &self.port)
            .field("max_concurrent_rpcs", &self.max_concurrent_rpcs)
            .field("max_message_size", &self.max_message_size)
            .field("grace", &self.grace)
            .field("services", &services)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_specifications() {
        let server = Server::new();
        assert_eq!(server.host, IpAddr::from([0, 0, 0, 0]));
        assert_eq!(server.port, 50051);
        assert_eq!(server.max_concurrent_rpcs, 100);
        assert_eq!(server.grace, Duration::from_secs(5));
    }

    #[test]
    fn what_the_environment_leaves_open_stays_as_it_is() {
        let config = ServerConfig {
            port: Some(7),
            ..ServerConfig::default()
        };
        let server = Server::new().max_concurrent_rpcs(3).configured(&config);
        assert_eq!((server.port, server.max_concurrent_rpcs), (7, 3));
    }

    #[tokio::test]
    async fn a_server_that_waits_to_be_enabled_returns_at_once_where_nothing_says_so() {
        let never = std::future::pending();
        Server::new().serve_if_enabled(never).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_not_enabled_returns_at_once() {
        let config = ServerConfig {
            enabled: Some(false),
            ..ServerConfig::default()
        };
        let server = Server::new().configured(&config);
        server.serve_until(std::future::pending()).await.unwrap();
    }
}
