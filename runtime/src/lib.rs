//! The runtime of `protoc-gen-apibase`: what generated gRPC services and clients are made of.
//!
//! The generator writes servicer traits, server types and client stubs that only *name* things;
//! this crate *does* them. A service is served like this:
//!
//! ```ignore
//! apibase::include_protos!();
//! use examples::api::{ItemServicer, ItemServiceServer};
//!
//! impl ItemServicer for Items { /* … */ }
//!
//! apibase::Server::from_env()?
//!     .add_servicer(ItemServiceServer::new(Items::default()))
//!     .serve_until(apibase::shutdown_signal())
//!     .await?;
//! ```
//!
//! and called like this:
//!
//! ```ignore
//! let items = ItemServiceClient::connect("http://items:50051").await?;
//! let item = items.get_item(&Context::background(), GetItemRequest { id }).await?;
//! ```
//!
//! # Where things are
//!
//! | what | types |
//! |---|---|
//! | what flows from call to call | [`Context`], [`TypedMetadata`] |
//! | a servicer's signatures | [`Streamed`], [`Inbound`], [`DomainError`], [`ServiceError`] |
//! | a client's | [`CallError`], [`Failure`], [`Replies`], [`CallOptions`], [`CallInfo`] |
//! | errors | [`DomainError`], [`ErrorTable`], [`ErrorPolicy`], [`ErrorDetails`], [`ErrorResponse`] |
//! | serving | [`Server`], [`Interceptors`], [`TowerService`] for tonic and axum |
//! | how often it may be called | [`RateLimit`], [`Refusal`] |
//! | what a server serves by itself | [`Health`], `Reflection` |
//! | TLS, and who calls | `Tls`, `PeerCertificate` |
//! | what runs on it | [`ServerHandle`], [`CallInFlight`]; `Admin`, `ServerStatus` |
//! | settings of a server or a client | [`EffectiveSettings`], [`SettingOrigin`], [`ConfigError`] |
//! | connecting | [`ClientFactory`], [`Channel`], [`Target`], [`Transport`] for any other |
//! | who calls | [`Credentials`], [`Token`]; `Auth`, `Principal` |
//! | putting an application together | [`Container`] |
//! | entities | [`ProtobufMapper`], [`MapError`], [`Grade`], [`Open`], [`Money`], [`LatLng`] |
//! | partial updates | [`Change`], [`NestedChange`] |
//! | lists in pages | [`Paging`], [`PageTokens`], [`Page`] |
//! | watching | [`Observer`], [`Event`], [`Logging`], `Metrics`, `Tracing` |
//!
//! # Features
//!
//! - `server` (default): [`Server`]. Without it, services are mounted in tonic or axum.
//! - `client` (default): [`Channel`] connects. Without it, stubs run over another [`Transport`].
//! - `reflection` (default): `Reflection`, which tells tools such as grpcurl what is served.
//! - `uuid`, `decimal`, `url`, `json`: fields of entities that are a `uuid::Uuid`, a
//!   `rust_decimal::Decimal`, a `url::Url`, a `serde_json::Value`.
//! - `chrono`, `time`, `jiff`: fields of entities that are a time, a date or a duration of one of
//!   these libraries. Those of the standard library need no feature.
//! - `gzip`, `zstd`: messages compressed so, where a server is set to it; clients read them. With `otel`,
//!   `gzip` also for spans on their way to the collector.
//! - `tls`: `Tls` for a [`Server`], whose calls then know the client's certificate.
//! - `prometheus`: `Metrics` of servers and clients.
//! - `auth`: `Auth`, which lets calls in by JWT, and `Principal`, who calls.
//! - `otel`: `Tracing`, spans of calls by OpenTelemetry, exported by OTLP.
//! - `admin`: `Admin`, a port beside a [`Server`] with a status page, probes and `/metrics`.
//! - `config`: settings of a [`Server`] from a TOML file, beside the environment.
//! - `testing`: calls without a socket, faults and fakes, and the laws of mappers, for tests.

#[cfg(feature = "admin")]
mod admin;
mod client;
mod clock;
#[doc(hidden)]
pub mod codegen;
mod container;
mod context;
mod errors;
#[cfg(feature = "server")]
mod health;
mod interceptors;
mod mapper;
mod metadata;
mod method;
mod observe;
mod paging;
mod policy;
mod rate;
#[cfg(feature = "reflection")]
mod reflection;
mod server;
#[cfg_attr(
    not(all(feature = "client", feature = "server")),
    allow(
        dead_code,
        unused_imports,
        reason = "some settings are one side's alone"
    )
)]
mod settings;
mod stream;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(all(feature = "tls", any(feature = "server", feature = "client")))]
mod tls;
mod wire;

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[cfg(feature = "otel")]
pub use opentelemetry;
#[cfg(feature = "otel")]
pub use opentelemetry_sdk;
#[cfg(feature = "prometheus")]
pub use prometheus_client;
pub use prost;
pub use prost_types;
pub use tonic::metadata::MetadataMap;
pub use tonic::{Code, Status};

#[cfg(feature = "admin")]
pub use crate::admin::{Admin, ServerStatus};
#[cfg(all(feature = "client", feature = "tls"))]
pub use crate::client::ClientTls;
#[cfg(feature = "client")]
pub use crate::client::{Addresses, EndpointAddress, OutlierEjection, Resolver, Resolving};
pub use crate::client::{
    Attempt, AttemptRecord, AttemptTrace, Balance, BreakerState, BreakerTransition, CallError,
    CallInfo, CallOptions, Caller, Channel, CircuitBreaker, ConnectError, Credentials, Failure,
    FailureKind, MappedCaller, OrFallback, Reached, Replies, RequestStream, Target, Token,
    TransitionReason, Transport, TransportError, Upstream, Verdict,
};
#[cfg(feature = "client")]
pub use crate::client::{ClientFactory, Connecting, Connector, IoStream, Over};
pub use crate::container::{Constructor, Container, ContainerBuilder, ContainerError};
pub use crate::context::{Context, Peer, ResponseMetadata};
pub use crate::errors::{
    DOMAIN, DomainError, ERROR_STATUS_TABLE, ErrorDetail, ErrorDetails, ErrorMetadata, ErrorParts,
    ErrorPolicy, ErrorResponse, ErrorRow, ErrorTable, Fault, FieldViolation, ServiceError,
};
#[cfg(feature = "server")]
pub use crate::health::{Health, ServingStatus};
#[cfg(feature = "prometheus")]
pub use crate::interceptors::Metrics;
pub use crate::interceptors::{
    Answer, CallEnd, ChainError, InterceptedCall, Interceptor, Interceptors, Logging, Next,
};
#[cfg(feature = "auth")]
pub use crate::interceptors::{Auth, AuthBuilder, AuthError, KeySource, Principal};
#[cfg(feature = "otel")]
pub use crate::interceptors::{Tracing, TracingGuard};
pub use crate::mapper::{
    Change, EntityStream, Grade, LatLng, MapError, Money, NestedChange, Open, ProtoStream,
    ProtobufMapper, Unmappable, Violation, ViolationKind,
};
pub use crate::metadata::{MetadataError, TypedMetadata};
pub use crate::method::{Idempotency, Kind, Method};
pub use crate::observe::{ConnectionChange, EndpointChange, Event, Observer, Refusal, Side};
pub use crate::paging::{NEXT_PAGE_TOKEN, Page, PageTokens, Paging};
pub use crate::policy::{BreakerPolicy, CodeSet, HedgingPolicy, RetryPolicy, RetryThrottle};
pub use crate::rate::RateLimit;
#[cfg(feature = "reflection")]
pub use crate::reflection::{Reflection, ReflectionError, ReflectionV1, ReflectionV1Alpha};
#[cfg(all(feature = "server", feature = "tls"))]
pub use crate::server::Tls;
#[cfg(feature = "server")]
pub use crate::server::{
    Address, BoundServer, CallInFlight, IncomingBody, Listener, Phase, RequestService, Server,
    ServerError, ServerHandle, shutdown_signal,
};
pub use crate::server::{ReplyBody, TowerService};
#[cfg(all(feature = "server", feature = "tls"))]
pub use crate::settings::ClientCertificates;
pub use crate::settings::{
    ConfigError, ConfigProblem, EffectiveSetting, EffectiveSettings, SettingOrigin,
};
pub use crate::stream::{Closed, Inbound, InboundError, StreamSender, Streamed};
#[cfg(all(feature = "server", feature = "tls"))]
pub use crate::tls::{PeerCertificate, SpiffeId};
pub use crate::wire::compression::Compression;

/// Includes what `protoc_gen_apibase::configure().compile(…)` generated in the build script: a
/// module tree with one module per protobuf package.
///
/// With an argument it includes the module tree of that name, for a build script that sets another
/// than `mod.rs`.
#[macro_export]
macro_rules! include_protos {
    () => {
        $crate::include_protos!("mod.rs");
    };
    ($file:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $file));
    };
}
