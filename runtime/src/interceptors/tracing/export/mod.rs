//! Spans leave the process: as the environment says ([`environment`]), by a thread of their own
//! ([`exporter`]), until the process ends ([`guard`]); what finds no room on the way ([`queue`]) and what
//! the collector doesn't take is counted ([`losses`]).

mod environment;
mod exporter;
mod guard;
mod losses;
mod queue;
#[cfg(feature = "tls")]
mod tls;

use std::sync::Arc;

use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider};

use self::environment::{Settings, Variables};
use self::exporter::{Connect, Exporter, Postman};
pub use self::guard::TracingGuard;
use self::queue::{Queue, Waiting};
use super::Tracing;
use super::slot::Ids;
use crate::ConfigError;

/// Spans as these variables have it, and what exports them.
pub(super) fn from_variables(
    variables: Variables<'_>,
) -> Result<(Tracing, TracingGuard), ConfigError> {
    let Some(settings) = Settings::read(variables)? else {
        return Ok((Tracing::disabled(), TracingGuard::nothing()));
    };
    let follows_callers = settings.sampler.follows_callers();
    let sampler = settings.sampler.made();
    let connect = Connect {
        endpoint: settings.endpoint,
        #[cfg(feature = "tls")]
        tls: settings.tls,
    };
    let (postman, inner) = Postman::start(connect)?;
    let waiting = Arc::new(Waiting::new(settings.queue));
    // The rest is as the variables have it.
    let config = BatchConfigBuilder::default().with_max_queue_size(settings.queue);
    let batches = BatchSpanProcessor::builder(Exporter::new(&postman, inner, &waiting))
        .with_batch_config(config.build())
        .build();
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampler.clone())
        .with_id_generator(Ids::default())
        .with_resource(settings.resource)
        .with_span_processor(Queue::new(batches, &waiting))
        .build();
    let tracing = Tracing::new(&provider).sampling(sampler, follows_callers);
    Ok((tracing, TracingGuard::new(provider, postman, waiting)))
}
