//! [`Server`]: what is served, and how.

use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
#[cfg(feature = "config")]
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tower_layer::Layer;

use super::config::ServerSettings;
use super::layered::{self, Layered, RequestService};
use super::limits::ByMethod;
use super::request::IncomingBody;
use super::service::{ErasedService, Service};
use super::socket::{Listener, Listening};
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::BoxError;
use crate::health::Health;
use crate::interceptors::Interceptors;
use crate::settings::{self, ConfigError, EffectiveSettings, SettingOrigin};
use crate::wire::compression::{Compression, Encodings};

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
    pub(super) settings: ServerSettings,
    /// In place of host, port and Unix socket.
    pub(super) listening: Option<Listening>,
    /// In place of what the settings say of TLS.
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
    pub(super) tells_calls: bool,
    /// Whether `run` serves, with threads of its own.
    pub(super) has_own_runtime: bool,
    pub(super) health: Option<Health>,
    #[cfg(feature = "admin")]
    pub(super) admin: Option<crate::Admin>,
    pub(super) chain: Interceptors,
    pub(super) layer: Option<Arc<dyn Layered>>,
    pub(super) by_method: ByMethod,
    pub(super) services: Vec<Arc<dyn ErasedService>>,
}

impl Server {
    /// A server with the defaults and no service.
    #[must_use]
    pub fn new() -> Self {
        Self::configured(ServerSettings::default())
    }

    /// A server as the environment has it.
    ///
    #[doc = include_str!("config/settings.md")]
    ///
    /// What code sets afterwards goes before the environment, the environment before the file that
    /// `GRPC__CONFIG_FILE` names (feature `config`, see [`from_file`](#method.from_file)), and the file
    /// before the default. A variable that is empty counts as unset.
    /// [`describe`](Self::describe) tells what is in force.
    ///
    /// # Errors
    ///
    /// With all that is wrong: keys that start with `GRPC__` and that nobody knows, settings that this
    /// version doesn't enforce, and values that are not what the key takes. `GRPC__CLIENT__` is for
    /// clients, and let be.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    /// A server as this environment has it, as [`from_env`](Self::from_env) but for the process's own
    /// one: of a `.env` file for example, or of a test. Of a variable that is there twice, the last
    /// counts.
    ///
    /// # Errors
    ///
    /// Those of [`from_env`](Self::from_env).
    pub fn from_variables<K, V>(
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, ConfigError>
    where
        K: Into<OsString>,
        V: Into<OsString>,
    {
        let variables = variables.into_iter();
        let variables = variables.map(|(key, value)| (key.into(), value.into()));
        Ok(Self::configured(settings::read(variables, None)?))
    }

    /// A server as the environment has it and, for what that leaves open, this TOML file:
    ///
    /// ```toml
    /// [server]
    /// port = 50051
    /// max_message_size = "8MiB"
    /// grace = "5s"
    /// ```
    ///
    /// Its keys are those of [`from_env`](Self::from_env) in lower case. The path goes before that of
    /// `GRPC__CONFIG_FILE`; a relative one starts where the process does. A table `[client]` is for
    /// clients, and let be. The file may have 1 MiB.
    ///
    /// # Errors
    ///
    /// Those of [`from_env`](Self::from_env), and when the file can't be read, isn't TOML, or has a
    /// key or a value that is wrong, even if the environment goes before it.
    #[cfg(feature = "config")]
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let variables = std::env::vars_os();
        let settings = settings::read(variables, Some(path.as_ref()))?;
        Ok(Self::configured(settings))
    }

    /// What is in force, and where it comes from. No secrets.
    #[must_use]
    pub fn describe(&self) -> EffectiveSettings {
        let mut settings = self.settings.clone();
        let chain = self.chain.chain();
        if chain.is_some_and(|chain| chain.errors.shows_details())
            && !settings.detailed_errors.get()
        {
            settings.detailed_errors.set(true);
        }
        let encodings = self.encodings();
        if *settings.compression.get() != encodings {
            settings.compression.set(encodings);
        }
        EffectiveSettings::of(&settings)
    }

    /// Listens on this address of the machine. Default: 0.0.0.0, all of them.
    #[must_use]
    pub fn host(mut self, host: impl Into<IpAddr>) -> Self {
        self.settings.host.set(host.into());
        self
    }

    /// Listens on this port; 0 takes a free one, which [`BoundServer::local_addr`](crate::BoundServer::local_addr) tells.
    /// Default: 50051.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.settings.port.set(port);
        self
    }

    /// Listens on a Unix socket at `path`, in place of an address. A socket that a process left behind
    /// there is replaced; the file is removed when the server has stopped.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.unix_socket.set(Some(path.into()));
        self
    }

    /// Listens on a socket that is bound already, in place of an address: one that systemd or a test
    /// hands in.
    #[must_use]
    pub fn listener(mut self, listener: impl Into<Listener>) -> Self {
        self.listening = Some(listener.into().0);
        self
    }

    /// Serves over TLS alone, in place of all that the settings say of it. Default: what
    /// `GRPC__SERVER__TLS_CERT_FILE` and those beside it say, and plaintext where they say nothing.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        tls.describe(&mut self.settings);
        self.tls = Some(tls);
        self
    }

    /// Takes at most this many connections at once; one more is closed as it comes. Default: 10,000.
    #[must_use]
    pub fn max_connections(mut self, max: usize) -> Self {
        self.settings.max_connections.set(Some(max));
        self
    }

    /// Takes at most this many connections at once of one address. Default: as many as there may be
    /// at all, since a proxy in front can have them all.
    #[must_use]
    pub fn max_connections_per_peer(mut self, max: usize) -> Self {
        self.settings.max_connections_per_peer.set(Some(max));
        self
    }

    /// Closes a connection whose first bytes of HTTP/2 take longer. Default: 10 seconds.
    #[must_use]
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout.set(timeout);
        self
    }

    /// Asks a connection that is silent for `interval` whether it is still there, and closes one that
    /// doesn't answer within `timeout`, or takes nothing that it is sent for as long. Default: 60 and
    /// 20 seconds.
    #[must_use]
    pub fn keepalive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.settings.keepalive_interval.set(Some(interval));
        self.settings.keepalive_timeout.set(timeout);
        self
    }

    /// Asks the client of a connection of this age, ±10%, to open another one, so that clients spread
    /// over servers that are new (gRFC A9). Calls that run then have `grace` to end. Default: no limit.
    #[must_use]
    pub fn max_connection_age(mut self, age: Duration, grace: Duration) -> Self {
        self.settings.max_connection_age.set(Some(age));
        self.settings.max_connection_age_grace.set(grace);
        self
    }

    /// Takes at most this many calls at once; one more is answered with `RESOURCE_EXHAUSTED` at once.
    /// A call counts until its last trailer. Default: 100.
    #[must_use]
    pub fn max_concurrent_rpcs(mut self, max: usize) -> Self {
        self.settings.max_concurrent_rpcs.set(max);
        self
    }

    /// Takes at most this many calls at once from one connection. Clients are told so by HTTP/2's
    /// `SETTINGS_MAX_CONCURRENT_STREAMS`, and wait, or open another connection; one that doesn't keep to
    /// it has its streams reset (`REFUSED_STREAM`). HTTP/2 counts all streams, those of health too.
    /// At least 1. Default: as many as the server takes.
    #[must_use]
    pub fn max_concurrent_rpcs_per_connection(mut self, max: usize) -> Self {
        let setting = &mut self.settings.max_concurrent_rpcs_per_connection;
        setting.set(Some(max.max(1)));
        self
    }

    /// Takes requests whose head has up to this many bytes, as HTTP/2 counts it: names and values, and
    /// 32 bytes for each, with the path and the other pseudo-headers. One with more is answered with
    /// `RESOURCE_EXHAUSTED`; far beyond that with HTTP's bare 431, or not at all. Clients are told that
    /// there may be 64 KiB more, so that they are told what is wrong. Default: 16 KiB.
    #[must_use]
    pub fn max_metadata_size(mut self, bytes: usize) -> Self {
        self.settings.max_metadata_size.set(bytes);
        self
    }

    /// Reads messages up to this many bytes; a larger one is answered with `RESOURCE_EXHAUSTED`.
    /// Default: 4 MiB.
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.settings.max_message_size.set(bytes);
        self
    }

    /// Reads messages that are compressed so, and compresses replies of 1 KiB or more: the first of these
    /// that the caller takes. Default: neither, and a compressed call is `UNIMPLEMENTED`.
    ///
    /// [`max_message_size`](Self::max_message_size) is for what a message is, not for what is sent of it. A
    /// message is compressed and decompressed where its call runs, so that a large one holds up the calls
    /// beside it; gzip takes several times as long as zstd. What mixes secrets with what the caller chose
    /// should say [`uncompressed`](crate::ResponseMetadata::uncompressed).
    #[must_use]
    pub fn compression(mut self, encodings: impl IntoIterator<Item = Compression>) -> Self {
        let encodings = Encodings::new(encodings);
        let encodings = (!encodings.is_empty()).then_some(encodings);
        self.settings.compression.set(encodings);
        self
    }

    /// Works on a call no longer than this, streams included, however long its caller would wait: then
    /// the servicer is dropped, and the caller told `DEADLINE_EXCEEDED`. Health has no cap. Default: none.
    #[must_use]
    pub fn deadline_cap(mut self, cap: Duration) -> Self {
        self.settings.deadline_cap.set(Some(cap));
        self
    }

    /// Gives calls this long to end when the server is told to stop; then they are cut off.
    /// Default: 5 seconds.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.settings.grace.set(grace);
        self
    }

    /// Told to stop, first serves on for this long, while health says `NOT_SERVING`, so that nobody is
    /// sent here any more when connections end. Default: not at all.
    #[must_use]
    pub fn lame_duck(mut self, time: Duration) -> Self {
        self.settings.lame_duck.set(time);
        self
    }

    /// Serves this health as `grpc.health.v1.Health`. Default: one without dependencies, unless
    /// [`health_check_enabled`](Self::health_check_enabled) says otherwise.
    #[must_use]
    pub fn health(mut self, health: Health) -> Self {
        self.health = Some(health);
        self
    }

    /// Whether `grpc.health.v1.Health` is served. Default: it is.
    #[must_use]
    pub fn health_check_enabled(mut self, yes: bool) -> Self {
        self.settings.health_check_enabled.set(yes);
        self
    }

    /// Whether `grpc.reflection` is served, `v1` and `v1alpha`. Default: it is.
    #[cfg(feature = "reflection")]
    #[must_use]
    pub fn reflection_enabled(mut self, yes: bool) -> Self {
        self.settings.reflection_enabled.set(yes);
        self
    }

    /// Logs the calls that run, with their age and what they are at, whenever the process gets SIGUSR1.
    /// Default: it doesn't, and the signal ends the process, as is its default.
    #[must_use]
    pub fn tell_calls_on_sigusr1(mut self) -> Self {
        self.tells_calls = true;
        self
    }

    /// Puts `chain` around every call. Default: nothing.
    #[must_use]
    pub fn interceptors(mut self, chain: Interceptors) -> Self {
        self.chain = chain;
        self
    }

    /// Puts a tower layer around all requests, in place of another one: those of every service, of
    /// health and reflection too, and what isn't gRPC at all. Several are one by `tower::ServiceBuilder`.
    /// Default: none.
    ///
    /// Interceptors, limits and deadlines are inside. A request has its [`Peer`](crate::Peer) among its
    /// extensions. The layer is asked once for a service, which is cloned for each request, so what its
    /// clones share holds for the whole server. A layer that fails makes the call's status: that among
    /// the sources of its error, if a [`Status`](crate::Status) is there, and else INTERNAL.
    ///
    /// It costs each request a few allocations, and replies are no longer sent together as well as they
    /// would be without. What needs no bytes of HTTP is better an [`Interceptor`](crate::Interceptor).
    #[must_use]
    pub fn layer<L, B>(mut self, layer: L) -> Self
    where
        L: Layer<RequestService>,
        L::Service: tower_service::Service<
                http::Request<IncomingBody>,
                Response = http::Response<B>,
                Error: Into<BoxError>,
                Future: Send,
            > + Clone
            + Send
            + Sync
            + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        self.layer = Some(layered::around(|requests| layer.layer(requests)));
        self
    }

    /// Serves `service`, a generated server type, too.
    #[must_use]
    pub fn add_servicer(mut self, service: impl Service) -> Self {
        self.services.push(Arc::new(service));
        self
    }

    /// What messages are compressed as: as code says, here or in the chain, and else as the setting does.
    pub(super) fn encodings(&self) -> Option<Encodings> {
        let setting = &self.settings.compression;
        let chains = self.chain.chain().map(|chain| &chain.encodings);
        match chains.filter(|encodings| !encodings.is_empty()) {
            Some(chains) if setting.origin() != SettingOrigin::Code => Some(chains.clone()),
            _ => setting.get().clone(),
        }
    }

    fn configured(settings: ServerSettings) -> Self {
        Self {
            settings,
            listening: None,
            #[cfg(feature = "tls")]
            tls: None,
            tells_calls: false,
            has_own_runtime: false,
            health: None,
            #[cfg(feature = "admin")]
            admin: None,
            chain: Interceptors::none(),
            layer: None,
            by_method: ByMethod::default(),
            services: Vec::new(),
        }
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
            .field("settings", &self.settings)
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
        let settings = server.settings;
        assert_eq!(*settings.host.get(), IpAddr::from([0, 0, 0, 0]));
        assert_eq!(*settings.port.get(), 50051);
        assert_eq!(*settings.max_workers.get(), 10);
        assert_eq!(*settings.max_concurrent_rpcs.get(), 100);
        assert_eq!(*settings.grace.get(), Duration::from_secs(5));
        assert_eq!(*settings.enabled.get(), None);
        assert!(*settings.reflection_enabled.get());
        assert!(*settings.health_check_enabled.get());
    }

    #[tokio::test]
    async fn a_server_that_waits_to_be_enabled_returns_at_once_where_nothing_says_so() {
        let never = std::future::pending();
        Server::new().serve_if_enabled(never).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_is_not_enabled_returns_at_once() {
        let server = Server::from_variables([("GRPC__SERVER__ENABLED", "false")]).unwrap();
        server.serve_until(std::future::pending()).await.unwrap();
    }
}
