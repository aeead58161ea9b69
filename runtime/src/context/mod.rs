//! [`Context`]: what flows from a call to the calls that it makes.

mod cancellation;
mod correlation;
mod extensions;
#[cfg(feature = "otel")]
mod otel;
mod response;
mod served;
mod trace;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use self::cancellation::Cancellation;
pub(crate) use self::correlation::is_correlation_id;
use self::extensions::Extensions;
pub use self::response::ResponseMetadata;
#[cfg(feature = "otel")]
pub(crate) use self::trace::traceparent;
pub(crate) use self::trace::{Digits, TraceContext, digits};
use crate::Method;
use crate::interceptors::{MethodChain, Trail};
#[cfg(feature = "server")]
use crate::server::AtomicPhase;
#[cfg(all(feature = "server", feature = "tls"))]
use crate::tls::PeerCertificate;
use crate::wire::headers::{Incoming, Present};

/// What belongs to a call and flows to the calls that it makes: the deadline, the trace, the correlation id,
/// cancellation and typed extensions; and, in a servicer, what came in and what goes back.
///
/// A servicer passes its own `ctx` to the clients that it calls. Incoming metadata is there to be
/// read and is never sent on. Clones are cheap and mean the same call.
///
/// ```
/// use std::time::Duration;
/// use apibase::Context;
///
/// let ctx = Context::background().with_timeout(Duration::from_secs(2));
/// assert!(ctx.remaining() <= Some(Duration::from_secs(2)));
/// assert!(ctx.detach().remaining().is_none());
/// ```
#[derive(Clone)]
pub struct Context {
    scope: Arc<Scope>,
    deadline: Option<Instant>,
    detached: bool,
    extensions: Extensions,
    /// Shared by all calls of a connection, which `scope` isn't.
    #[cfg(all(feature = "server", feature = "tls"))]
    peer_certificate: Option<Arc<PeerCertificate>>,
}

/// Who is on the other side of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Peer {
    /// A TCP connection from this address.
    Tcp(SocketAddr),
    /// A connection over a Unix socket, from this machine.
    Unix,
}

impl Peer {
    /// Its address, where it has one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp(address) => Some(address.ip()),
            Self::Unix => None,
        }
    }
}

/// What all clones of one call's context share.
#[derive(Default)]
struct Scope {
    method: Option<&'static Method>,
    peer: Option<Peer>,
    metadata: MetadataMap,
    present: Present,
    response: response::Shared,
    /// None where nothing can cancel.
    cancellation: Option<Cancellation>,
    /// What stands around the call; None where nothing does.
    chain: Option<Arc<MethodChain>>,
    trail: Trail,
    /// The trace that it has come in with, once somebody has asked.
    trace: OnceLock<Option<TraceContext>>,
    /// What it is at, for those who ask what runs on a server.
    #[cfg(feature = "server")]
    phase: AtomicPhase,
}

impl Context {
    /// A context that belongs to no call: no deadline, no metadata, never cancelled.
    #[must_use]
    pub fn background() -> Self {
        static BACKGROUND: OnceLock<Arc<Scope>> = OnceLock::new();
        Self::of(Arc::clone(BACKGROUND.get_or_init(Arc::default)), None)
    }

    /// The context of a call that has come in.
    pub(crate) fn incoming(
        method: &'static Method,
        peer: Option<Peer>,
        incoming: impl Into<Incoming>,
        deadline: Option<Instant>,
        chain: Option<Arc<MethodChain>>,
    ) -> Self {
        let Incoming { metadata, present } = incoming.into();
        let scope = Scope {
            method: Some(method),
            peer,
            metadata,
            present,
            response: response::Shared::default(),
            cancellation: Some(Cancellation::default()),
            chain,
            trail: Trail::default(),
            trace: OnceLock::new(),
            #[cfg(feature = "server")]
            phase: AtomicPhase::default(),
        };
        Self::of(Arc::new(scope), deadline)
    }

    fn of(scope: Arc<Scope>, deadline: Option<Instant>) -> Self {
        Self {
            scope,
            deadline,
            detached: false,
            extensions: Extensions::default(),
            #[cfg(all(feature = "server", feature = "tls"))]
            peer_certificate: None,
        }
    }

    /// The RPC that is being served; `None` outside of a servicer.
    #[must_use]
    pub fn method(&self) -> Option<&'static Method> {
        self.scope.method
    }

    /// Who calls; `None` outside of a servicer and where the transport doesn't say.
    #[must_use]
    pub fn peer(&self) -> Option<&Peer> {
        self.scope.peer.as_ref()
    }

    /// The certificate that the client has shown and that was found good; `None` where it has shown
    /// none, where the server doesn't ask for any, and in a service that another server has mounted.
    #[cfg(all(feature = "server", feature = "tls"))]
    #[must_use]
    pub fn peer_certificate(&self) -> Option<&PeerCertificate> {
        self.peer_certificate.as_deref()
    }

    /// Who calls, as an [`Auth`](crate::Auth) has found by the call's token, or as an extension of that type
    /// says; `None` outside of a servicer, and where the method needs no token.
    #[cfg(feature = "auth")]
    #[must_use]
    pub fn principal(&self) -> Option<&crate::Principal> {
        self.scope.trail.principal().or_else(|| self.extension())
    }

    /// The metadata that came in. [`TypedMetadata`](crate::TypedMetadata) reads typed values.
    #[must_use]
    pub fn metadata(&self) -> &MetadataMap {
        &self.scope.metadata
    }

    /// The metadata that goes back: headers and trailers of the reply.
    ///
    /// Outside of a servicer it goes nowhere.
    #[must_use]
    pub fn response(&self) -> ResponseMetadata<'_> {
        ResponseMetadata::new(&self.scope.response)
    }

    /// The trace that the call belongs to, as 32 lower-case hexadecimal digits: that of its span, where
    /// `Tracing` makes one, else that of the incoming `traceparent` (W3C Trace Context). None where
    /// there is no valid one.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        #[cfg(feature = "otel")]
        if let Some(id) = self.span_trace_id() {
            return Some(id);
        }
        self.incoming_trace()?.id(&self.scope.metadata)
    }

    /// Whether somebody records the trace that the call belongs to, as far as is known here.
    #[cfg(feature = "prometheus")]
    pub(crate) fn is_sampled(&self) -> bool {
        #[cfg(feature = "otel")]
        if let Some(is_sampled) = self.is_span_sampled() {
            return is_sampled;
        }
        self.incoming_trace()
            .is_some_and(|trace| trace.is_sampled())
    }

    /// The trace that the call has come in with, if that is a valid one.
    pub(crate) fn incoming_trace(&self) -> Option<TraceContext> {
        if !self.scope.present.trace {
            return None;
        }
        let metadata = &self.scope.metadata;
        *self.scope.trace.get_or_init(|| TraceContext::of(metadata))
    }

    /// The `tracestate` that the call has come in with, if it may be passed on.
    pub(crate) fn incoming_state(&self) -> Option<HeaderValue> {
        self.incoming_trace()?.state(&self.scope.metadata)
    }

    /// The `traceparent` that the calls which it makes go with, and the `tracestate`; None where it
    /// belongs to no trace.
    pub(crate) fn outgoing_trace(&self) -> Option<(HeaderValue, Option<HeaderValue>)> {
        #[cfg(feature = "otel")]
        if let Some(headers) = self.span_headers() {
            return Some(headers);
        }
        let trace = self.incoming_trace()?;
        Some((trace.parent(&self.scope.metadata)?, self.incoming_state()))
    }

    /// When the call has to be over; `None` if it may take forever.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// How long until the deadline: zero if it has passed, `None` if there is none.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        Some(self.deadline?.saturating_duration_since(Instant::now()))
    }

    /// The same context, over at `deadline` or at its own if that is sooner.
    #[must_use]
    pub fn with_deadline(&self, deadline: Instant) -> Self {
        let mut context = self.clone();
        context.deadline = Some(self.deadline.map_or(deadline, |own| own.min(deadline)));
        context
    }

    /// The same context, over after `timeout` or at its own deadline if that is sooner.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.with_deadline(deadline),
            None => self.clone(),
        }
    }

    /// Whether the call is over: cancelled by its caller, past its deadline, or answered.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some_and(Cancellation::is_cancelled)
    }

    /// Waits until the call is over: cancelled by its caller, past its deadline, or answered.
    ///
    /// A servicer's own future is dropped by then, unless its method is `detached`; this is for what it
    /// has spawned. In a context that belongs to no call, or is detached from it, this waits forever.
    pub async fn cancelled(&self) {
        match self.cancellation() {
            Some(cancellation) => cancellation.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// The same context without deadline and cancellation, for work that outlives the call.
    ///
    /// Keeps the correlation id and the extensions.
    #[must_use]
    pub fn detach(&self) -> Self {
        let mut context = self.clone();
        context.deadline = None;
        context.detached = true;
        context
    }

    /// The value of type `T` that was put in by [`with_extension`](Self::with_extension).
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// The same context with `value`, in place of another value of this type.
    #[must_use]
    pub fn with_extension<T: Send + Sync + 'static>(&self, value: T) -> Self {
        let mut context = self.clone();
        context.extensions = self.extensions.with(value);
        context
    }

    fn cancellation(&self) -> Option<&Cancellation> {
        let cancellation = self.scope.cancellation.as_ref();
        cancellation.filter(|_| !self.detached)
    }
}

impl fmt::Debug for Context {
    /// Shows no metadata: it can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("method", &self.method().map(Method::path))
            .field("peer", &self.peer())
            .field("remaining", &self.remaining())
            .field("correlation_id", &self.correlation_id())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method::unary("/t.T/T");

    pub(super) fn incoming(pairs: &[(&'static str, &str)]) -> Context {
        let mut metadata = MetadataMap::new();
        for (key, value) in pairs {
            metadata.insert(*key, value.parse().unwrap());
        }
        Context::incoming(&METHOD, None, metadata, None, None)
    }

    #[test]
    fn the_trace_id_is_that_of_a_valid_traceparent() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |header: &str| {
            incoming(&[("traceparent", header)])
                .trace_id()
                .map(str::to_owned)
        };
        for valid in [
            format!("00-{trace}-00f067aa0ba902b7-01"),
            format!("cc-{trace}-00f067aa0ba902b7-01-what-will-come"),
        ] {
            assert_eq!(of(&valid).as_deref(), Some(trace), "{valid}");
        }
        for invalid in [
            String::new(),
            trace.to_owned(),
            format!("ff-{trace}-00f067aa0ba902b7-01"),
            format!("00-{trace}-00f067aa0ba902b7-01-more"),
            format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-{trace}-00f067aa0ba902b7"),
        ] {
            assert_eq!(of(&invalid), None, "{invalid}");
        }
    }

    #[test]
    fn a_deadline_only_gets_sooner() {
        let now = Instant::now();
        let ctx = Context::background().with_deadline(now + Duration::from_secs(5));
        assert_eq!(
            ctx.with_deadline(now + Duration::from_secs(9)).deadline(),
            ctx.deadline()
        );
        let sooner = now + Duration::from_secs(1);
        assert_eq!(ctx.with_deadline(sooner).deadline(), Some(sooner));
        assert!(ctx.with_timeout(Duration::MAX).deadline().is_some());
    }

    #[tokio::test]
    async fn cancelling_reaches_clones_but_not_the_detached() {
        let ctx = incoming(&[("x-correlation-id", "c")]).with_timeout(Duration::from_secs(1));
        let (clone, detached) = (ctx.clone(), ctx.detach());
        let waiting = tokio::spawn(async move { clone.cancelled().await });
        ctx.cancel();
        waiting.await.unwrap();
        assert!(ctx.is_cancelled());
        assert!(!detached.is_cancelled());
        assert_eq!(detached.deadline(), None);
        assert_eq!(detached.correlation_id(), Some("c"));
    }

    #[test]
    fn an_extension_is_found_by_its_type_and_the_newest_wins() {
        let ctx = Context::background()
            .with_extension(1_u8)
            .with_extension("text");
        assert_eq!(ctx.extension::<u8>(), Some(&1));
        assert_eq!(ctx.extension::<&str>(), Some(&"text"));
        assert_eq!(ctx.extension::<u16>(), None);
        assert_eq!(ctx.with_extension(2_u8).extension::<u8>(), Some(&2));
        assert_eq!(
            ctx.extension::<u8>(),
            Some(&1),
            "the older context is unchanged"
        );
    }

    #[test]
    fn debug_shows_no_metadata() {
        let ctx = incoming(&[("authorization", "Bearer secret")]);
        assert!(!format!("{ctx:?}").contains("secret"));
    }
}
