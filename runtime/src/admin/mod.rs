//! [`Admin`]: a port beside a server, for people, probes and Prometheus.
//!
//! [`board`] has what there is to see of a server, [`status`] is what it was at one moment, [`page`] and
//! [`json`] write that down, [`desk`] answers requests, and [`port`] takes them in: with connections,
//! bounds and times of its own, so that it answers while the server refuses calls.

mod board;
mod desk;
mod host;
mod json;
#[cfg(feature = "prometheus")]
mod negotiate;
mod page;
mod port;
mod status;
mod tally;

use std::fmt;
use std::net::IpAddr;

pub(crate) use self::board::{Board, Facts, Gauge, Program, Rate, StageName};
pub(crate) use self::desk::Desk;
pub(crate) use self::port::AdminPort;
pub use self::status::ServerStatus;
pub(crate) use self::tally::Tally;
#[cfg(feature = "prometheus")]
use crate::Metrics;
use crate::settings::EffectiveSettings;
#[cfg(feature = "client")]
use crate::{
    Channel, ClientFactory,
    client::{ClientState, ClientView},
};

/// The admin port of a [`Server`](crate::Server): a status page for people, answers for probes, and
/// metrics for Prometheus, over HTTP/1.1.
///
/// | path | what it is |
/// |---|---|
/// | `/` | the status page: health with the last answer of each dependency, the calls that run, limits and how full they are, refusals, clients with their endpoints and circuit breakers, and the settings in force. It works without scripts; `/?refresh=5` comes again every 5 seconds |
/// | `/status.json` | the same, for programs: [`ServerStatus::to_json`] |
/// | `/metrics` | the metrics of the server's [`Interceptors`](crate::Interceptors) (feature `prometheus`): OpenMetrics 1.0 for who asks for it, else Prometheus' text format 0.0.4, which has no exemplars |
/// | `/healthz` | 200 as long as the process answers, whatever its dependencies say: for liveness probes |
/// | `/readyz` | 200 while the server is `SERVING`, else 503 and why: for readiness probes |
///
/// ```no_run
/// use apibase::{Admin, Server};
///
/// # async fn serve() -> Result<(), apibase::ServerError> {
/// let admin = Admin::new().port(9090).program("items", env!("CARGO_PKG_VERSION"));
/// let bound = Server::new().admin(admin).bind().await?;
/// println!("http://{}", bound.admin_addr().unwrap());
/// # Ok(()) }
/// ```
///
/// **Nobody is asked who they are**, and there is no TLS: whoever can connect sees who calls what, so it
/// listens on 127.0.0.1 unless it is told otherwise, and the log has a warning where it is. It shows no
/// payloads, no metadata and no secrets, changes nothing, and only answers requests whose `Host` is an
/// IP address, `localhost` or one of its [names](Self::name), so that no web page can read it by a name
/// of its own (DNS rebinding). What a check of health says when it fails is shown as it is.
///
/// It listens before the server takes its first call, lives through the drain, and ends with the server.
/// It shares nothing with calls but the threads: at most 32 connections of its own, of which the oldest
/// is closed for one more, a request each; a head takes at most 5 seconds, all of it 10.
#[derive(Default)]
pub struct Admin {
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) names: Vec<String>,
    pub(crate) program: Option<Program>,
    pub(crate) clients: Vec<Clients>,
    #[cfg(feature = "prometheus")]
    pub(crate) metrics: Option<Metrics>,
}

/// Some clients that are shown.
pub(crate) struct Clients {
    /// None where all that is known of them is that they are there.
    settings: Option<EffectiveSettings>,
    #[cfg(feature = "client")]
    views: Box<dyn Fn() -> Vec<ClientView> + Send + Sync>,
}

impl Admin {
    /// One that is where the [settings](crate::Server::from_env) say: at the port of
    /// `GRPC__SERVER__ADMIN_PORT`, and nowhere while that isn't set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens on this port; 0 takes a free one, which
    /// [`BoundServer::admin_addr`](crate::BoundServer::admin_addr) tells. Default: what
    /// `GRPC__SERVER__ADMIN_PORT` says, and no port where it says nothing.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// Listens on this address of the machine. Default: what `GRPC__SERVER__ADMIN_HOST` says, else
    /// 127.0.0.1, which nobody reaches from elsewhere.
    #[must_use]
    pub fn host(mut self, host: impl Into<IpAddr>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Answers requests for this host too, `items-admin.internal`; a port beside it makes no difference.
    /// With others where it is said several times. Default: what `GRPC__SERVER__ADMIN_NAMES` says, and
    /// always IP addresses and `localhost`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into().to_ascii_lowercase());
        self
    }

    /// Shows this name and this version of the program. Default: the name of its file, and no version.
    #[must_use]
    pub fn program(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.program = Some(Program {
            name: name.into(),
            version: Some(version.into()),
        });
        self
    }

    /// Shows the channels of this factory, those that it has and those that it will have, with their
    /// endpoints and circuit breakers, and its settings. It keeps none of them open. What is called
    /// [over](ClientFactory::over) another transport isn't shown.
    #[cfg(feature = "client")]
    #[must_use]
    pub fn clients(mut self, factory: &ClientFactory) -> Self {
        self.clients.push(Clients {
            settings: Some(factory.describe()),
            views: Box::new(factory.views()),
        });
        self
    }

    /// Shows this channel, with its endpoints and circuit breakers, as long as somebody else keeps it.
    #[cfg(feature = "client")]
    #[must_use]
    pub fn channel(mut self, channel: &Channel) -> Self {
        let view = ClientView::of(channel);
        self.clients.push(Clients {
            settings: None,
            views: Box::new(move || vec![view.clone()]),
        });
        self
    }

    /// Tells these metrics. Default: those of the server's [`Interceptors`](crate::Interceptors).
    #[cfg(feature = "prometheus")]
    #[must_use]
    pub fn metrics(mut self, metrics: &Metrics) -> Self {
        self.metrics = Some(metrics.clone());
        self
    }
}

impl Clients {
    pub(crate) fn settings(&self) -> Option<&EffectiveSettings> {
        self.settings.as_ref()
    }

    /// Those that there are now.
    #[cfg(feature = "client")]
    fn states(&self) -> impl Iterator<Item = ClientState> {
        (self.views)().into_iter().filter_map(|view| view.state())
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
