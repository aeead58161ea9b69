//! [`Exporter`]: OTLP over gRPC, on a thread that nobody else needs.
//!
//! The SDK exports from a thread of its own and waits there. Where what it waits for is driven by the
//! application's runtime, a runtime with one worker that shuts the SDK down waits for itself
//! (opentelemetry-rust#2715, #2802). So the connection lives on a runtime that belongs to nobody else.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use opentelemetry::Context;
#[cfg(feature = "tls")]
use opentelemetry_otlp::WithTonicConfig;
use opentelemetry_otlp::{SpanExporter as Otlp, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::runtime::{Builder, Handle};
use tokio::sync::{Mutex, oneshot};

use super::queue::Waiting;
#[cfg(feature = "tls")]
use super::tls::Tls;
use crate::{ConfigError, ConfigProblem};

/// Where spans go to.
pub(super) struct Connect {
    pub(super) endpoint: String,
    #[cfg(feature = "tls")]
    pub(super) tls: Option<Tls>,
}

/// The thread that exports. Dropping it ends the thread and what it has under way.
#[derive(Debug)]
pub(super) struct Postman {
    handle: Handle,
    _until: oneshot::Sender<()>,
}

/// Hands spans to the thread that exports.
#[derive(Debug)]
pub(super) struct Exporter {
    handle: Handle,
    /// Never waited for in earnest: there is one export at a time.
    inner: Arc<Mutex<Otlp>>,
    waiting: Arc<Waiting>,
}

impl Connect {
    fn exporter(self) -> Result<Otlp, String> {
        let builder = Otlp::builder().with_tonic().with_endpoint(self.endpoint);
        #[cfg(feature = "tls")]
        let builder = match self.tls {
            Some(tls) => builder.with_tls_config(tls.made()),
            None => builder,
        };
        builder.build().map_err(|why| why.to_string())
    }
}

impl Postman {
    /// Starts the thread, and makes a connection that is opened when there is something to send.
    pub(super) fn start(to: Connect) -> Result<(Self, Otlp), ConfigError> {
        let failed = |why: String| {
            let problem = format!("spans can't be exported to it: {why}");
            ConfigError::of(ConfigProblem::new("OTEL_EXPORTER_OTLP_ENDPOINT", problem))
        };
        let (until, told) = oneshot::channel();
        let (tell, made) = mpsc::sync_channel(1);
        let run = move || {
            // Who traces what `h2` and others say must not trace this (opentelemetry-rust#2877).
            let _quiet = Context::enter_telemetry_suppressed_scope();
            let runtime = match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(why) => return drop(tell.send(Err(why.to_string()))),
            };
            runtime.block_on(async {
                let exporter = to.exporter();
                let is_made = exporter.is_ok();
                let _ = tell.send(exporter.map(|exporter| (Handle::current(), exporter)));
                if is_made {
                    // It ends when its sender is dropped.
                    let _ = told.await;
                }
            });
            // A lookup of a name may hang.
            runtime.shutdown_background();
        };
        let thread = thread::Builder::new().name("apibase-otlp".to_owned());
        thread.spawn(run).map_err(|why| failed(why.to_string()))?;
        let made = made.recv_timeout(Duration::from_secs(10));
        let (handle, exporter) = match made {
            Ok(made) => made.map_err(failed)?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                return Err(failed("its thread doesn't start".to_owned()));
            }
        };
        let postman = Self {
            handle,
            _until: until,
        };
        Ok((postman, exporter))
    }
}

impl Exporter {
    pub(super) fn new(postman: &Postman, inner: Otlp, waiting: &Arc<Waiting>) -> Self {
        Self {
            handle: postman.handle.clone(),
            inner: Arc::new(Mutex::new(inner)),
            waiting: Arc::clone(waiting),
        }
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let (inner, waiting) = (Arc::clone(&self.inner), &self.waiting);
        let spans = batch.len();
        waiting.take(spans);
        let exported = self
            .handle
            .spawn(async move { inner.lock().await.export(batch).await });
        let result = match exported.await {
            Ok(result) => result,
            // Its runtime is gone.
            Err(_) => Err(OTelSdkError::AlreadyShutdown),
        };
        waiting.settle(spans);
        if let Err(why) = &result {
            waiting.losses.failed(spans as u64, why.to_string());
        }
        waiting.losses.tell();
        result
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.get_mut().set_resource(resource);
        }
    }
}
