//! Spans as they are exported, for tests to look at.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test file uses a part of it, and a test fails by panicking"
)]

use std::sync::{Arc, Mutex};

use apibase::testing::InProcess;
use apibase::{ClientFactory, Interceptors, Over, Tracing};
use opentelemetry::Value;
use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};

use crate::common::{EchoServiceClient, EchoServiceServer, Scripted};

pub(crate) type Client = EchoServiceClient<Over<InProcess>>;

/// What has been exported, in the order in which it ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

/// Spans of calls by this sampler, and where they go.
pub(crate) fn recorded(sampler: Sampler) -> (Tracing, Spans, SdkTracerProvider) {
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_simple_exporter(spans.clone())
        .build();
    (Tracing::new(&provider), spans, provider)
}

/// A service in this process, with these around its calls.
pub(crate) fn served(chain: Interceptors, scripted: Scripted) -> InProcess {
    InProcess::behind(chain, EchoServiceServer::new(scripted)).unwrap()
}

/// A client of it, with these around its calls.
pub(crate) fn client(chain: Interceptors, served: InProcess) -> Client {
    let clients = ClientFactory::new().interceptors(chain);
    EchoServiceClient::new(clients.over("echo", served))
}

impl Spans {
    pub(crate) fn all(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().clone()
    }

    /// Those of this kind whose names end so.
    pub(crate) fn of(&self, kind: &SpanKind, name: &str) -> Vec<SpanData> {
        let all = self.all().into_iter();
        all.filter(|span| span.span_kind == *kind && span.name == name)
            .collect()
    }

    /// The one of this kind with this name.
    pub(crate) fn one(&self, kind: &SpanKind, name: &str) -> SpanData {
        let found = self.of(kind, name);
        assert_eq!(found.len(), 1, "{name}: {:#?}", self.all());
        found.into_iter().next().unwrap()
    }

    pub(crate) fn server(&self, method: &str) -> SpanData {
        self.one(&SpanKind::Server, &format!("echo.EchoService/{method}"))
    }

    pub(crate) fn call(&self, method: &str) -> SpanData {
        self.one(&SpanKind::Client, &format!("echo.EchoService/{method}"))
    }

    /// Those of attempts, in the order in which they began.
    pub(crate) fn attempts(&self, method: &str) -> Vec<SpanData> {
        let name = format!("attempt echo.EchoService/{method}");
        let mut attempts = self.of(&SpanKind::Client, &name);
        attempts.sort_by_key(|span| span.start_time);
        attempts
    }
}

pub(crate) fn trace_of(span: &SpanData) -> TraceId {
    span.span_context.trace_id()
}

pub(crate) fn id_of(span: &SpanData) -> SpanId {
    span.span_context.span_id()
}

/// What a span says of this; empty if it says nothing.
pub(crate) fn attribute(span: &SpanData, key: &str) -> String {
    let mut found = span
        .attributes
        .iter()
        .filter(|pair| pair.key.as_str() == key);
    let value = found.next().map(|pair| match &pair.value {
        Value::I64(number) => number.to_string(),
        other => other.to_string(),
    });
    assert!(found.next().is_none(), "{key} is there twice");
    value.unwrap_or_default()
}

pub(crate) fn is_error(span: &SpanData) -> bool {
    matches!(span.status, Status::Error { .. })
}
