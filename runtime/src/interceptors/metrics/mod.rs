//! [`Metrics`]: what calls do, counted for Prometheus.
//!
//! What is counted of a method is made when it is bound ([`calls`]), and counted without a lock and
//! apart for each thread ([`shards`], [`histogram`]). Only who reads adds it up: into families
//! ([`family`]), which are written as text ([`text`]) or into somebody's registry ([`collector`]).

mod calls;
mod collector;
mod events;
mod family;
mod histogram;
mod part;
#[cfg(feature = "client")]
mod pool;
mod shards;
mod text;
mod told;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use prometheus_client::encoding::text::encode_registry;
use prometheus_client::registry::Registry;

use self::calls::Calls;
use self::events::{ClientEvents, ServerEvents};
use self::family::Family;
use self::histogram::Bounds;
#[cfg(feature = "client")]
use self::pool::Pool;
use self::told::Told;
use crate::Method;
use crate::observe::Side;

/// Stands for all methods that there are none of: paths are whatever callers send, and each label is a
/// series.
static UNKNOWN: Method = Method::unary("/_OTHER/_OTHER");

/// Counts what the calls of servers and clients do, for Prometheus.
///
/// ```
/// use apibase::{Interceptors, Metrics};
///
/// let metrics = Metrics::new();
/// let chain = Interceptors::none().with_metrics(&metrics);
/// // Server::new().interceptors(chain.clone()), ClientFactory::new().interceptors(chain)
/// let page = metrics.encode();
/// assert!(page.ends_with("# EOF\n"));
/// ```
///
/// Clones count together, so the same metrics go to all servers and clients of a process; there is
/// nothing global.
///
/// | series | labels | of |
/// |---|---|---|
/// | `grpc_requests_total` | `service`, `method`, `status` | calls that have ended at a server, each once: at its end, or as `CANCELLED` when it is dropped |
/// | `grpc_request_duration_seconds` | `service`, `method` | those of them that have no stream, from the head to the last trailer |
/// | `grpc_server_stream_duration_seconds` | `service`, `method` | those that have one |
/// | `grpc_server_messages_sent_total`, `grpc_server_messages_received_total` | `service`, `method` | messages of calls with a stream, counted as they go |
/// | `grpc_server_active_requests` | `service`, `method` | calls that are being answered |
/// | `grpc_server_active_connections`, `grpc_server_connections_opened_total`, `grpc_server_connections_refused_total` | | connections; not where another server has mounted the service |
/// | `grpc_server_refused_total` | `reason` | requests that the server itself has refused, as [`Refusal::as_str`](crate::Refusal::as_str) has it |
/// | `grpc_server_undeclared_errors_total` | `service`, `method` | errors that a method doesn't declare |
/// | `grpc_client_requests_total`, `grpc_client_request_duration_seconds`, `grpc_client_stream_duration_seconds`, `grpc_client_messages_sent_total`, `grpc_client_messages_received_total`, `grpc_client_active_requests` | as those of servers | calls of clients, each once |
/// | `grpc_client_attempts_total` | `service`, `method`, `status` | attempts to carry them |
/// | `grpc_client_retries_total` | `service`, `method` | attempts after the first of a call |
/// | `grpc_client_breaker_state` | `target`, `service`, `method` | 0 closed, 1 half open, 2 open |
/// | `grpc_client_breaker_transitions_total` | `target`, `service`, `method`, `to` | changes of it |
/// | `grpc_client_connections`, `grpc_client_endpoint_ejected` | `target`, `endpoint` | endpoints, as long as they are there |
/// | `grpc_client_connections_opened_total`, `grpc_client_connections_lost_total`, `grpc_client_connect_failures_total`, `grpc_client_ejections_total`, `grpc_client_unhealthy_total` | `target` | what happens to them |
///
/// A status is spelled as in gRPC's list: `OK`, `NOT_FOUND`. Calls of methods that there are none of are
/// those of the method `_OTHER` of the service `_OTHER`, whatever their path. Calls that were refused
/// before they came to their interceptors count among the requests too, with a duration of nothing;
/// what isn't gRPC at all is a refusal alone. The number of series is bounded by what the program
/// serves and calls.
///
/// A histogram's buckets have exemplars where calls are traced: the `trace_id` of the last one.
#[derive(Clone)]
pub struct Metrics {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    settings: Settings,
    /// By their path. As many as the program serves and calls.
    of_servers: RwLock<BTreeMap<&'static str, Arc<Calls>>>,
    of_clients: RwLock<BTreeMap<&'static str, Arc<Calls>>>,
    server: ServerEvents,
    clients: ClientEvents,
    #[cfg(feature = "client")]
    pool: Pool,
}

#[derive(Clone)]
struct Settings {
    requests: Bounds,
    streams: Bounds,
    status_on_histogram: bool,
    /// What a user has beside it.
    beside: Option<Arc<Registry>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            requests: Bounds::of_requests(),
            streams: Bounds::of_streams(),
            status_on_histogram: false,
            beside: None,
        }
    }
}

impl Metrics {
    /// The content type of what [`encode`](Self::encode) writes.
    pub const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// The content type of what [`encode_prometheus`](Self::encode_prometheus) writes.
    pub const PROMETHEUS_CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Nothing is counted yet.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    /// The same, beginning anew, whose durations of calls without a stream have these upper bounds.
    /// Default: 5, 10, 25, 50, 75, 100, 250, 500, 750 ms, 1, 2.5, 5, 7.5, 10 s. At most 64.
    #[must_use]
    pub fn buckets(&self, bounds: impl IntoIterator<Item = Duration>) -> Self {
        Self::with(Settings {
            requests: Bounds::new(bounds),
            ..self.inner.settings.clone()
        })
    }

    /// The same, beginning anew, whose durations of calls with a stream have these upper bounds.
    /// Default: 10, 100, 500 ms, 1, 5, 15, 30 s, 1, 5, 15, 30 min, 1, 3, 6 h. At most 64.
    #[must_use]
    pub fn stream_buckets(&self, bounds: impl IntoIterator<Item = Duration>) -> Self {
        Self::with(Settings {
            streams: Bounds::new(bounds),
            ..self.inner.settings.clone()
        })
    }

    /// The same, beginning anew, whose durations have the label `status` too: a histogram for each
    /// status that a method's calls end with. Default: they have not.
    #[must_use]
    pub fn status_on_histogram(&self) -> Self {
        Self::with(Settings {
            status_on_histogram: true,
            ..self.inner.settings.clone()
        })
    }

    /// The same, beginning anew, with all that is in `registry` behind it, in what
    /// [`encode`](Self::encode) writes: a program's own metrics, on the same page.
    #[must_use]
    pub fn beside(&self, registry: Registry) -> Self {
        Self::with(Settings {
            beside: Some(Arc::new(registry)),
            ..self.inner.settings.clone()
        })
    }

    /// The same, told of by `registry` as well, which is encoded elsewhere: with its prefix and labels,
    /// and without exemplars, which it can't have of others.
    #[must_use]
    pub fn in_registry(self, registry: &mut Registry) -> Self {
        registry.register_collector(Box::new(self.clone()));
        self
    }

    /// All that was counted until now, as [OpenMetrics] has it: what a scrape is answered with. Calls
    /// don't wait for it.
    ///
    /// [OpenMetrics]: https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
    #[must_use]
    pub fn encode(&self) -> String {
        let mut page = String::with_capacity(16 * 1024);
        // Writing to a string doesn't fail; a metric of somebody else's may, and what is written of it by
        // then would be half a line.
        let _ = text::write(&self.gather(), &mut page);
        if let Some(registry) = &self.inner.settings.beside {
            let own = page.len();
            if encode_registry(&mut page, registry).is_err() {
                tracing::error!("a metric of the registry can't be encoded: all of it is left out");
                page.truncate(own);
            }
        }
        page.push_str("# EOF\n");
        page
    }

    /// The same as the older text format of Prometheus (0.0.4) has it, for what reads no OpenMetrics:
    /// without exemplars.
    #[must_use]
    pub fn encode_prometheus(&self) -> String {
        text::to_prometheus(&self.encode())
    }

    fn with(settings: Settings) -> Self {
        Self {
            inner: Arc::new(Inner {
                settings,
                ..Inner::default()
            }),
        }
    }

    /// All that there is something to tell of.
    fn gather(&self) -> Vec<Family> {
        let inner = &*self.inner;
        let mut families = Vec::new();
        for (side, mut of_side) in [
            (Side::Server, Told::of_servers()),
            (Side::Client, Told::of_clients()),
        ] {
            for calls in inner.all(side) {
                of_side.add(&calls);
            }
            families.extend(of_side.families());
        }
        families.extend(inner.server.families());
        families.extend(inner.clients.families());
        #[cfg(feature = "client")]
        families.extend(inner.pool.families());
        families.retain(|family| !family.series.is_empty());
        families
    }
}

impl Inner {
    fn methods(&self, side: Side) -> &RwLock<BTreeMap<&'static str, Arc<Calls>>> {
        match side {
            Side::Server => &self.of_servers,
            Side::Client => &self.of_clients,
        }
    }

    /// Of a method that was bound.
    fn known(&self, side: Side, path: &str) -> Option<Arc<Calls>> {
        let methods = self.methods(side).read();
        let methods = methods.unwrap_or_else(PoisonError::into_inner);
        methods.get(path).map(Arc::clone)
    }

    /// Of any method; made when it is first asked for.
    fn calls(&self, side: Side, method: &'static Method) -> Arc<Calls> {
        if let Some(known) = self.known(side, method.path()) {
            return known;
        }
        let methods = self.methods(side).write();
        let mut methods = methods.unwrap_or_else(PoisonError::into_inner);
        let calls = methods.entry(method.path());
        let make = || Arc::new(Calls::new(side, method, &self.settings));
        Arc::clone(calls.or_insert_with(make))
    }

    /// Of all methods, copied out: nobody waits while they are read.
    fn all(&self, side: Side) -> Vec<Arc<Calls>> {
        let methods = self.methods(side).read();
        let methods = methods.unwrap_or_else(PoisonError::into_inner);
        methods.values().map(Arc::clone).collect()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = [Side::Server, Side::Client].map(|side| self.inner.all(side).len());
        f.debug_struct("Metrics")
            .field("methods", &methods.iter().sum::<usize>())
            .finish_non_exhaustive()
    }
}
