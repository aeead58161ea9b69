//! [`ClientFactory`]: makes channels, all set the same way.

mod channels;
mod set;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
#[cfg(feature = "config")]
use std::path::Path;
use std::sync::Arc;

use self::channels::Channels;
use super::balance::OutlierEjection;
use super::channel::{Channel, ChannelOptions, Connector, Secure};
use super::config::ClientSettings;
use super::credentials::Credentials;
use super::over::Over;
use super::resolve::Resolver;
use super::target::{ConnectError, Target};
#[cfg(feature = "tls")]
use super::tls::ClientTls;
use super::transport::Transport;
use super::upstream::Upstream;
use super::view::ClientView;
use crate::interceptors::Interceptors;
use crate::observe::Observers;
use crate::settings::{self, ConfigError, EffectiveSettings};

/// Makes channels, all set the same way, one for each target: stubs over the same target share
/// connections, circuit breakers and the retry throttle.
///
/// ```no_run
/// # async fn call<C>(stub: impl Fn(apibase::Channel) -> C) -> Result<(), Box<dyn std::error::Error>> {
/// use apibase::{ClientFactory, Credentials};
///
/// let clients = ClientFactory::from_env()?
///     .credentials(Credentials::token_file("/var/run/secrets/tokens/items"));
/// let items = stub(clients.channel("items:50051")?); // ItemServiceClient::new(…)
/// # Ok(()) }
/// ```
///
/// What is set here goes before what a proto says and the environment, and a call's own
/// [`CallOptions`](crate::CallOptions) before that; an operator's overrides go before all. Clones make the
/// same channels, until something is set for one of them.
///
/// A factory doesn't keep its channels: when the last stub of a target is gone, so are its connections
/// and what was known of it.
#[derive(Clone)]
pub struct ClientFactory {
    settings: ClientSettings,
    credentials: Option<Credentials>,
    observers: Observers,
    interceptors: Interceptors,
    health_check: Option<String>,
    connector: Option<Arc<dyn Connector>>,
    resolver: Option<Arc<dyn Resolver>>,
    ejection: OutlierEjection,
    /// In place of what the settings say of TLS.
    #[cfg(feature = "tls")]
    tls: Option<ClientTls>,
    channels: Arc<Channels>,
}

impl ClientFactory {
    /// Makes channels with the defaults, whatever the environment says.
    #[must_use]
    pub fn new() -> Self {
        Self::configured(ClientSettings::default())
    }

    /// Makes channels as the environment has it.
    ///
    #[doc = include_str!("../config/settings.md")]
    ///
    /// What a proto says of a method goes before that, what code sets afterwards before the proto, and
    /// what a call says for itself before them all; the environment goes before the file that
    /// `GRPC__CONFIG_FILE` names (feature `config`, see [`from_file`](#method.from_file)), and the file
    /// before the default. A variable that is empty counts as unset.
    ///
    /// An operator overrides all of them by the same keys with `OVERRIDE__` before the name, where the
    /// table says yes: `GRPC__CLIENT__OVERRIDE__MAX_RETRIES=0`. What a call inherits of a deadline holds
    /// all the same. [`describe`](Self::describe) tells what is in force.
    ///
    /// # Errors
    ///
    /// With all that is wrong: keys that start with `GRPC__` and that nobody knows, settings that this
    /// version doesn't enforce, and values that are not what the key takes. `GRPC__SERVER__` is for
    /// servers, and let be.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(std::env::vars_os())
    }

    /// Makes channels as this environment has it, as [`from_env`](Self::from_env) but for the process's
    /// own one: of a `.env` file for example, or of a test. Of a variable that is there twice, the last
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

    /// Makes channels as the environment has it and, for what that leaves open, this TOML file:
    ///
    /// ```toml
    /// [client]
    /// default_timeout = "5s"
    /// max_retries = 2
    ///
    /// [client.override]
    /// circuit_breaker_threshold = "off"
    /// ```
    ///
    /// Its keys are those of [`from_env`](Self::from_env) in lower case. The path goes before that of
    /// `GRPC__CONFIG_FILE`; a relative one starts where the process does. A table `[server]` is for
    /// servers, and let be, so that one file can be for both. The file may have 1 MiB.
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

    /// What is in force where no proto and no call says otherwise, and where it comes from. No secrets.
    #[must_use]
    pub fn describe(&self) -> EffectiveSettings {
        EffectiveSettings::of(&self.settings)
    }

    /// The channel to `target`, which connects when the first call is made; the same one as before, if
    /// there is still a stub over that.
    ///
    /// # Errors
    ///
    /// When `target` is not valid.
    pub fn channel(&self, target: impl Into<Target>) -> Result<Channel, ConnectError> {
        let target = target.into();
        self.channels.get_or_open(&target, || self.open(&target))
    }

    /// The same, connected.
    ///
    /// # Errors
    ///
    /// When `target` is not valid, or none of its endpoints can be reached in time.
    pub async fn connect(&self, target: impl Into<Target>) -> Result<Channel, ConnectError> {
        let channel = self.channel(target)?;
        channel.ready().await?;
        Ok(channel)
    }

    /// Calls over `transport`, tonic's channel for example, are made as this factory has it: deadlines,
    /// retries, circuit breakers, observers and credentials. What belongs to connections is the
    /// transport's; since nobody knows whether it is TLS, a token goes over it only if
    /// [plaintext is allowed](Credentials::allow_plaintext). `target` names it, in events.
    pub fn over<T: Transport>(&self, target: &str, transport: T) -> Over<T> {
        let upstream = Upstream::new(
            target.into(),
            false,
            self.settings.clone(),
            self.credentials.clone(),
            self.observers(),
        )
        .with_interceptors(self.interceptors.clone());
        let upstream = Arc::new(upstream);
        self.interceptors.opened(&ClientView::over(&upstream));
        Over::new(transport, upstream)
    }

    /// What there is of its channels, whenever somebody asks, without keeping any of them.
    #[cfg(feature = "admin")]
    pub(crate) fn views(&self) -> impl Fn() -> Vec<ClientView> + Send + Sync + use<> {
        let channels = Arc::clone(&self.channels);
        move || channels.views()
    }

    fn configured(settings: ClientSettings) -> Self {
        Self {
            settings,
            credentials: None,
            observers: Observers::default(),
            interceptors: Interceptors::none(),
            health_check: None,
            connector: None,
            resolver: None,
            ejection: OutlierEjection::default(),
            #[cfg(feature = "tls")]
            tls: None,
            channels: Arc::default(),
        }
    }

    fn open(&self, target: &Target) -> Result<Channel, ConnectError> {
        let channel = Channel::open(target.clone(), self.options(), |name, is_secure| {
            Upstream::new(
                name,
                is_secure,
                self.settings.clone(),
                self.credentials.clone(),
                self.observers(),
            )
            .with_interceptors(self.interceptors.clone())
        })?;
        self.interceptors.opened(&ClientView::of(&channel));
        Ok(channel)
    }

    /// All who hear of what happens.
    fn observers(&self) -> Observers {
        let mut observers = self.observers.clone();
        observers.set_beside_calls(self.interceptors.observers_of_client().collect());
        observers
    }

    /// The settings that are the channel's.
    fn options(&self) -> ChannelOptions {
        let settings = &self.settings;
        ChannelOptions {
            balance: *settings.lb_policy.get(),
            max_connections: *settings.max_connections.get(),
            connect_timeout: *settings.connect_timeout.get(),
            keepalive_interval: *settings.keepalive_interval.get(),
            keepalive_timeout: *settings.keepalive_timeout.get(),
            keepalive_while_idle: *settings.keepalive_while_idle.get(),
            max_waiting: *settings.max_waiting.get(),
            health_check: self.health_check.clone(),
            connector: self.connector.clone(),
            resolver: self.resolver.clone(),
            secure: *settings.secure.get(),
            tls: self.secure_by(),
            observers: self.observers(),
            ejection: self.ejection,
        }
    }

    /// What makes TLS of connections: as code says, and else the files of the settings.
    #[cfg(feature = "tls")]
    fn secure_by(&self) -> Option<Arc<dyn Secure>> {
        let of_settings = || {
            let settings = &self.settings;
            let mut tls = ClientTls::new();
            if let Some(ca) = settings.tls_ca_file.get() {
                tls = tls.ca_file(ca);
            }
            // One is never set without the other.
            let identity = (settings.tls_cert_file.get(), settings.tls_key_file.get());
            if let (Some(chain), Some(key)) = identity {
                tls = tls.identity_files(chain, key);
            }
            tls
        };
        Some(self.tls.clone().unwrap_or_else(of_settings).secure())
    }

    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self, reason = "the signature of the other one")]
    fn secure_by(&self) -> Option<Arc<dyn Secure>> {
        None
    }
}

impl Default for ClientFactory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ClientFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFactory")
            .field("settings", &self.settings)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}
