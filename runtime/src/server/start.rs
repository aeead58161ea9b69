//! From settings to a server that listens.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;

use super::accept::OTHER;
use super::address::Address;
use super::connection::{Drain, Load, Route, Shared};
use super::error::ServerError;
use super::limits::{Limits, Places};
use super::listen::{BoundServer, Stopping};
use super::service::Service as _;
use super::settings::Server;
use super::signal::shutdown_signal;
use super::socket::Listening;
#[cfg(feature = "tls")]
use super::tls::{Handshake, Reload, Tls};
use crate::Method;
use crate::health::Health;
use crate::interceptors::{ChainError, MethodChain};
use crate::observe::Side;
#[cfg(feature = "reflection")]
use crate::reflection::{Reflection, ReflectionV1, ReflectionV1Alpha};
use crate::settings::SettingOrigin;

impl Server {
    /// Listens, so that the address is known before the first call comes in; whatever
    /// `GRPC__SERVER__ENABLED` says.
    ///
    /// # Errors
    ///
    /// When the address can't be listened on, or that of its admin port, a certificate or a key can't be used, a service was added
    /// twice, the descriptors of two services contradict each other, the
    /// [`ErrorPolicy`](crate::ErrorPolicy) names an error that no service has, or a limit is for a
    /// method that none has or can't be kept.
    pub async fn bind(mut self) -> Result<BoundServer, ServerError> {
        self.check_errors()?;
        let (encodings, chain) = (self.encodings().unwrap_or_default(), self.chain.chain());
        // Nothing is put around calls where nothing is asked for.
        if chain.map_or(!encodings.is_empty(), |chain| chain.encodings != encodings) {
            self.chain.compress(encodings);
        }
        let stopping = self.add_own_services()?;
        #[cfg(feature = "tls")]
        let (tls, reload) = self.load_tls().await?.unzip();
        #[cfg(feature = "admin")]
        let mut admin = self.plan_admin();
        let routes = self.routes()?;
        if !self.chain.authenticate() {
            tracing::info!(
                "no caller is asked for a token, and no proto wants that: anybody may call"
            );
        }
        let unknown = self.chain_of(&OTHER)?.filter(|chain| chain.has_steps());
        let listening = match self.listening.take() {
            Some(listening) => listening,
            None => self.listen().await?,
        };
        let address = listening
            .address()
            .map_err(|error| ServerError::bind(self.wanted(), error))?;
        let settings = &self.settings;
        if settings.max_workers.origin() != SettingOrigin::Default && !self.has_own_runtime {
            tracing::warn!(
                "MAX_WORKERS is for `Server::run`: here, the threads are those of the runtime that \
                 serves"
            );
        }
        let shared = Shared {
            load: Load::new(routes.len()),
            drain: Drain::default(),
            routes,
            places: Places::new(*settings.max_concurrent_rpcs.get()),
            limits: Limits::of(settings),
            in_flight: Arc::default(),
            chain: self.chain,
            unknown,
            layer: self.layer,
            #[cfg(feature = "tls")]
            tls,
        };
        #[cfg(feature = "admin")]
        let board = admin.board(&address, &shared, &stopping);
        #[cfg(feature = "admin")]
        let port = admin.listen(&board).await?;
        Ok(BoundServer {
            listening,
            address,
            shared: Arc::new(shared),
            stopping,
            #[cfg(feature = "tls")]
            reload,
            #[cfg(feature = "admin")]
            board,
            #[cfg(feature = "admin")]
            admin: port,
        })
    }

    /// What makes handshakes and what keeps that fresh; None where TLS isn't set.
    #[cfg(feature = "tls")]
    async fn load_tls(&mut self) -> Result<Option<(Arc<Handshake>, Reload)>, ServerError> {
        match self.tls.take().or_else(|| Tls::set(&self.settings)) {
            Some(tls) => tls.load().await.map(Some).map_err(ServerError::tls),
            None => Ok(None),
        }
    }

    /// Serves until SIGTERM or SIGINT, then stops as [`serve_until`](Self::serve_until) does.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve(self) -> Result<(), ServerError> {
        self.serve_until(shutdown_signal()).await
    }

    /// Serves as [`serve`](Self::serve) does, on a runtime of its own with as many threads as
    /// `GRPC__SERVER__MAX_WORKERS` says; for a `main` that isn't `async`.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind), and when the system gives no threads.
    pub fn run(mut self) -> Result<(), ServerError> {
        self.has_own_runtime = true;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(*self.settings.max_workers.get())
            .enable_all()
            .build()
            .map_err(ServerError::runtime)?;
        runtime.block_on(self.serve())
    }

    /// Serves until `signal` is there. Health then says `NOT_SERVING`; after the lame-duck time no new
    /// call is taken, those that run have the grace to end, and what is left is cut off.
    ///
    /// # Errors
    ///
    /// Those of [`bind`](Self::bind).
    pub async fn serve_until(self, signal: impl Future<Output = ()>) -> Result<(), ServerError> {
        if *self.settings.enabled.get() == Some(false) {
            let origin = self.settings.enabled.origin();
            tracing::info!(%origin, "not serving: GRPC__SERVER__ENABLED is false");
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
        if self.settings.enabled.get().is_none() {
            tracing::info!("not serving: GRPC__SERVER__ENABLED is not set");
            return Ok(());
        }
        self.serve_until(signal).await
    }

    /// What is set about errors that no service has does nothing, so it is a mistake.
    fn check_errors(&mut self) -> Result<(), ServerError> {
        if *self.settings.detailed_errors.get() {
            self.chain.show_details();
        }
        let Some(chain) = self.chain.chain() else {
            return Ok(());
        };
        if chain.errors.shows_details() {
            tracing::warn!("callers see internal errors with all their causes: not for production");
        }
        let services = self.services.iter();
        let tables: Vec<_> = services.map(|service| service.errors()).collect();
        match chain.errors.unknown(&tables) {
            Some(error) => Err(ServerError::unknown_error(error)),
            None => Ok(()),
        }
    }

    /// Adds health and reflection, which know the services that are there by then.
    fn add_own_services(&mut self) -> Result<Stopping, ServerError> {
        let mut stopping = Stopping {
            lame_duck: *self.settings.lame_duck.get(),
            grace: *self.settings.grace.get(),
            tells_calls: self.tells_calls,
            health: None,
            #[cfg(feature = "reflection")]
            reflection: None,
        };
        let serves_health = *self.settings.health_check_enabled.get();
        // One that the user serves by other means stays.
        if serves_health && !self.has(Health::NAME) {
            let health = self.health.take().unwrap_or_default();
            for service in &self.services {
                health.register(service.name());
            }
            self.services.push(Arc::new(health.clone()));
            stopping.health = Some(health);
        }
        #[cfg(feature = "reflection")]
        if *self.settings.reflection_enabled.get()
            && !self.has(ReflectionV1::NAME)
            && !self.has(ReflectionV1Alpha::NAME)
        {
            let mut reflection = Reflection::new();
            for service in &self.services {
                reflection = reflection
                    .add_descriptors(service.descriptors())
                    .map_err(ServerError::reflection)?
                    .list(service.name());
            }
            let missing: Vec<_> = reflection.missing().collect();
            if !missing.is_empty() {
                tracing::warn!(?missing, "reflection lacks files that are imported");
            }
            self.services.push(Arc::new(reflection.v1()));
            self.services.push(Arc::new(reflection.v1alpha()));
            stopping.reflection = Some(reflection);
        }
        Ok(stopping)
    }

    fn has(&self, name: &str) -> bool {
        self.services.iter().any(|service| service.name() == name)
    }

    /// Every path that is served.
    fn routes(&self) -> Result<HashMap<&'static str, Arc<Route>>, ServerError> {
        let services = self.services.iter();
        let methods: Vec<_> = services.flat_map(|service| service.methods()).collect();
        self.by_method.check(&methods)?;
        let key = self.by_method.key.as_ref().or(self.chain.rate_key());
        let mut routes = HashMap::new();
        for (index, service) in self.services.iter().enumerate() {
            let mut earlier = self.services.iter().take(index);
            if earlier.any(|other| other.name() == service.name()) {
                return Err(ServerError::duplicate(service.name()));
            }
            for method in service.methods() {
                let route = Route {
                    index: routes.len(),
                    service: Arc::clone(service),
                    method,
                    // Probes are answered when nobody else is.
                    is_limited: service.name() != Health::NAME,
                    max_message_size: *self.settings.max_message_size.get(),
                    limits: self.by_method.of(method, key)?,
                    chain: self.chain_of(method)?,
                };
                routes.insert(method.path(), Arc::new(route));
            }
        }
        Ok(routes)
    }

    fn chain_of(&self, method: &'static Method) -> Result<Option<Arc<MethodChain>>, ServerError> {
        let chain = self.chain.of(Side::Server, method);
        chain.map_err(|problem| ChainError::of(method, &problem).into())
    }

    async fn listen(&self) -> Result<Listening, ServerError> {
        let wanted = self.wanted();
        let listening = match &wanted {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Listening::Tcp),
            #[cfg(unix)]
            Address::Unix(path) => Listening::unix(path),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(std::io::ErrorKind::Unsupported.into()),
        };
        listening.map_err(|error| ServerError::bind(wanted, error))
    }

    fn wanted(&self) -> Address {
        let settings = &self.settings;
        match settings.unix_socket.get() {
            Some(path) => Address::Unix(path.clone()),
            None => Address::Tcp(SocketAddr::new(*settings.host.get(), *settings.port.get())),
        }
    }
}
