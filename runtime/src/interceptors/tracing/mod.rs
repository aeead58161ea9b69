//! [`Tracing`]: spans of calls, by OpenTelemetry.
//!
//! Each call has a span, from when it comes to the chain until its body has ended or was dropped, and at a
//! client each attempt has one below it ([`span`]). What is asked first is the sampler: a call that
//! nobody records has no more than the ids that it passes on.

mod attributes;
mod export;
mod slot;
mod span;

use std::fmt;
use std::sync::Arc;

use opentelemetry::InstrumentationScope;
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};

pub use self::export::TracingGuard;
pub(crate) use self::slot::SpanSlot;
use self::span::MethodSpans;
pub(crate) use self::span::{AttemptSpan, headers_of, remote};
use super::Interceptors;
use super::chain::{Place, Standard, Step};
use crate::observe::Side;
use crate::{ConfigError, Method};

/// Spans of calls, by OpenTelemetry: at a server one for each call, at a client one for each call and one
/// below it for each attempt. They go by the semantic conventions of RPC, version 1.44.
///
/// The trace of a call is the one that it comes in with (W3C Trace Context; where that is malformed, a
/// new one), and goes out with all calls that are made with its [`Context`](crate::Context). What isn't
/// sampled passes on its ids and costs next to nothing else.
///
/// ```no_run
/// use apibase::{ClientFactory, Interceptors, Tracing};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME, …
/// let (tracing, _guard) = Tracing::from_env()?;
/// let chain = Interceptors::none().with_tracing(tracing);
/// let clients = ClientFactory::from_env()?.interceptors(chain.clone());
/// let server = apibase::Server::from_env()?.interceptors(chain);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Tracing {
    /// None where nothing is recorded, as the environment says.
    tracer: Option<SdkTracer>,
    /// What decides about traces that begin here, where it is known and goes by their ids alone.
    sampler: Option<Sampler>,
    /// Whether the caller's decision is the sampler's: then it needn't be asked about what the caller
    /// doesn't record.
    follows_callers: bool,
}

impl Tracing {
    /// Spans of this provider, which says what is sampled and who gets it. Whoever makes it also shuts
    /// it down.
    ///
    /// Its sampler is asked without attributes: all that it could tell calls apart by are their names,
    /// `pkg.Service/Method`.
    #[must_use]
    pub fn new(provider: &SdkTracerProvider) -> Self {
        let scope = InstrumentationScope::builder("apibase")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        Self {
            tracer: Some(provider.tracer_with_scope(scope)),
            sampler: None,
            follows_callers: false,
        }
    }

    /// Spans as the environment has it, exported by OTLP over gRPC:
    ///
    /// | variable | what it is | default |
    /// |---|---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT`, before it `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the collector | `http://localhost:4317` |
    /// | `OTEL_EXPORTER_OTLP_CERTIFICATE`, before it `OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE` | a file of who is trusted, for an endpoint with `https` | the system's |
    /// | `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE` and `…_CLIENT_KEY`, before them `OTEL_EXPORTER_OTLP_TRACES_…` | files of what is shown to it | none |
    /// | `OTEL_SERVICE_NAME` | who this is | `unknown_service` |
    /// | `OTEL_RESOURCE_ATTRIBUTES` | more of that, `key=value,…` | none |
    /// | `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG` | `always_on`, `always_off`, `traceidratio`, and each after `parentbased_` | `parentbased_always_on`; a ratio of 1 |
    /// | `OTEL_SDK_DISABLED` | `true`: no spans; the trace of callers is passed on | `false` |
    /// | `OTEL_TRACES_EXPORTER` | `otlp`, or `none`, which is as disabled | `otlp` |
    /// | `OTEL_BSP_MAX_QUEUE_SIZE` | how many spans wait at most | `2048` |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL`, before it `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL` | `grpc` | `grpc` |
    /// | `OTEL_EXPORTER_OTLP_COMPRESSION`, before it `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION` | `gzip`, by apibase's feature of this name, or `none` | `none` |
    ///
    /// `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_EXPORTER_OTLP_TIMEOUT` (milliseconds), the other `OTEL_BSP_…`
    /// and `OTEL_SPAN_…_LIMIT` are read by the SDK, which ignores values that are wrong.
    ///
    /// Spans wait in a queue for a thread of their own and are lost when it is full, which is counted and
    /// told of ([`TracingGuard::lost`]): a collector that is gone or hangs costs calls nothing. The guard
    /// flushes what is left; keep it until the process ends.
    ///
    /// # Errors
    ///
    /// With all that is wrong: values that are not what their variables take, files that can't be read, and
    /// an endpoint with `https`, or `gzip`, without apibase's feature for it.
    pub fn from_env() -> Result<(Self, TracingGuard), ConfigError> {
        export::from_variables(&|name| std::env::var(name).ok())
    }

    /// No spans.
    fn disabled() -> Self {
        Self {
            tracer: None,
            sampler: None,
            follows_callers: false,
        }
    }

    fn sampling(mut self, sampler: Sampler, follows_callers: bool) -> Self {
        self.sampler = Some(sampler);
        self.follows_callers = follows_callers;
        self
    }
}

impl Interceptors {
    /// These and spans of calls, see [`Tracing`]. Where there are such already, a call has those.
    #[must_use]
    pub fn with_tracing(self, tracing: Tracing) -> Self {
        self.with_standard(Arc::new(tracing))
    }
}

impl Standard for Tracing {
    fn place(&self) -> Place {
        Place::Tracing
    }

    fn of(&self, side: Side, method: &'static Method) -> Result<Option<Step>, String> {
        Ok(self.step(side, method, ""))
    }

    fn at_client(
        &self,
        target: &Arc<str>,
        method: &'static Method,
    ) -> Result<Option<Step>, String> {
        Ok(self.step(Side::Client, method, target))
    }
}

impl Tracing {
    fn step(&self, side: Side, method: &'static Method, target: &str) -> Option<Step> {
        let tracer = self.tracer.clone()?;
        let decides = (self.sampler.clone(), self.follows_callers);
        let spans = MethodSpans::new(tracer, side, method, target, decides);
        Some(Step::Watch(Box::new(Arc::new(spans))))
    }
}

impl fmt::Debug for Tracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracing")
            .field("is_enabled", &self.tracer.is_some())
            .finish_non_exhaustive()
    }
}
