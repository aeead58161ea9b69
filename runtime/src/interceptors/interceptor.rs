//! [`Interceptor`]: what a user puts around calls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::chain::MethodChain;
use super::meeting::Meeting;
use super::trail::Trail;
use crate::context::Digits;
#[cfg(feature = "otel")]
use crate::context::digits;
use crate::observe::Side;
use crate::{Code, Context, Method, Status};

/// Stands around calls, at a server or at a client: it sees a call before what comes after it in the
/// chain, decides whether it goes on, and hears how it ended.
///
/// ```
/// use apibase::{Answer, CallEnd, InterceptedCall, Interceptor, Next, Status};
///
/// /// Lets only those in who say which tenant they are of, and tells the servicer.
/// struct Tenants;
///
/// /// What servicers find by `ctx.extension::<Tenant>()`.
/// struct Tenant(String);
///
/// impl Interceptor for Tenants {
///     async fn intercept(&self, call: InterceptedCall, next: Next<'_>) -> Result<Answer, Status> {
///         let tenant = call.metadata().get("x-tenant").and_then(|tenant| tenant.to_str().ok());
///         let Some(tenant) = tenant.map(|tenant| Tenant(tenant.to_owned())) else {
///             return Err(Status::permission_denied("`x-tenant` is missing"));
///         };
///         next.run(call.with_extension(tenant)).await
///     }
///
///     fn ended(&self, end: &CallEnd<'_>) {
///         println!("{}: {:?} after {:?}", end.method, end.code, end.elapsed);
///     }
/// }
/// ```
///
/// The deadline runs while it works, and a panic in it is the call's INTERNAL and nobody else's.
pub trait Interceptor: Send + Sync + 'static {
    /// A call has come this far. [`Next::run`] goes on with it; whoever returns without has answered
    /// it.
    ///
    /// What `next` returns is what the servicer's answer has become, with all that stands between
    /// done: the error is the status that the caller gets. Of a call whose replies are a stream, it
    /// is the beginning; how that ends is for [`ended`](Self::ended).
    ///
    /// # Errors
    ///
    /// The status that the call ends with. At a server, one that is not what `next` returned leaves
    /// as a servicer's own would: INTERNAL and UNKNOWN are redacted.
    fn intercept(
        &self,
        call: InterceptedCall,
        next: Next<'_>,
    ) -> impl Future<Output = Result<Answer, Status>> + Send;

    /// A call that came to [`intercept`](Self::intercept) is over: its last byte has been handed
    /// over, or it was dropped. Once for each of them; it must not block.
    fn ended(&self, end: &CallEnd<'_>) {
        let _ = end;
    }
}

/// A call on its way through the interceptors.
pub struct InterceptedCall {
    side: Side,
    method: &'static Method,
    context: Context,
    /// What a client sends.
    outgoing: Option<MetadataMap>,
    /// A client's; a server's is its context's.
    trail: Option<Arc<Trail>>,
}

/// The answer to a call, as it passes the interceptors.
#[derive(Debug)]
pub struct Answer(pub(super) ());

/// What comes after an interceptor: the next one, and at last the servicer or the wire.
pub struct Next<'a> {
    pub(super) chain: &'a MethodChain,
    pub(super) at: usize,
    pub(super) meeting: &'a Meeting,
}

/// How a call ended.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallEnd<'a> {
    /// Which end of the call this is.
    pub side: Side,
    /// The RPC.
    pub method: &'a Method,
    /// The call's context.
    pub context: &'a Context,
    /// Its final status; CANCELLED if it was dropped before its end.
    pub code: Code,
    /// From its start to now.
    pub elapsed: Duration,
    /// When that is.
    pub(crate) ended: Instant,
    pub(crate) trail: &'a Trail,
}

impl CallEnd<'_> {
    /// The trace of the call's own span, where it has one.
    pub(crate) fn own_trace(&self) -> Option<Digits> {
        #[cfg(feature = "otel")]
        return self.trail.span().trace_id().map(|id| digits(id.to_bytes()));
        #[cfg(not(feature = "otel"))]
        None
    }

    /// The call's trace, if somebody records it: what isn't recorded can't be looked at.
    #[cfg(feature = "prometheus")]
    pub(crate) fn exemplar(&self) -> Option<&str> {
        #[cfg(feature = "otel")]
        if let Some(is_sampled) = self.trail.span().is_sampled() {
            return is_sampled
                .then(|| self.trail.span().trace_id_digits())
                .flatten();
        }
        let is_sampled = self.context.is_sampled();
        is_sampled.then(|| self.context.trace_id()).flatten()
    }
}

impl InterceptedCall {
    pub(crate) fn incoming(method: &'static Method, context: Context) -> Self {
        Self {
            side: Side::Server,
            method,
            context,
            outgoing: None,
            trail: None,
        }
    }

    pub(crate) fn outgoing(
        method: &'static Method,
        context: Context,
        metadata: MetadataMap,
        trail: Arc<Trail>,
    ) -> Self {
        Self {
            side: Side::Client,
            method,
            context,
            outgoing: Some(metadata),
            trail: Some(trail),
        }
    }

    /// Which end of the call this is.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// The RPC. At a server, one that no service has is `/_OTHER/_OTHER`.
    #[must_use]
    pub fn method(&self) -> &'static Method {
        self.method
    }

    /// The call's context: at a server what the servicer will see, at a client what it was called
    /// with.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The same call with `value` in its context, for whoever comes later.
    #[must_use]
    pub fn with_extension<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.context = self.context.with_extension(value);
        self
    }

    /// The metadata of the request: at a server what came in, at a client what goes out.
    #[must_use]
    pub fn metadata(&self) -> &MetadataMap {
        match &self.outgoing {
            Some(outgoing) => outgoing,
            None => self.context.metadata(),
        }
    }

    /// What goes out, to be changed; `None` at a server, where
    /// [`Context::response`] is what goes back.
    #[must_use]
    pub fn outgoing_mut(&mut self) -> Option<&mut MetadataMap> {
        self.outgoing.as_mut()
    }

    pub(crate) fn into_context(self) -> Context {
        self.context
    }

    pub(crate) fn into_metadata(self) -> MetadataMap {
        self.outgoing.unwrap_or_default()
    }

    pub(super) fn trail(&self) -> &Trail {
        match &self.trail {
            Some(trail) => trail,
            None => self.context.trail(),
        }
    }
}

impl Next<'_> {
    /// Goes on with the call.
    ///
    /// # Errors
    ///
    /// The status that it has failed with.
    pub async fn run(self, call: InterceptedCall) -> Result<Answer, Status> {
        self.chain.pass(self.at, call, self.meeting).await
    }
}

impl fmt::Debug for InterceptedCall {
    /// Shows no metadata: it can hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InterceptedCall")
            .field("side", &self.side)
            .field("method", &self.method.path())
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Next<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").finish_non_exhaustive()
    }
}

/// An [`Interceptor`] of any type.
pub(crate) trait AnyInterceptor: Send + Sync {
    fn intercept_boxed<'a>(
        &'a self,
        call: InterceptedCall,
        next: Next<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Status>> + Send + 'a>>;

    /// A panic is caught: it would take the connection with it.
    fn hear_end(&self, end: &CallEnd<'_>);
}

impl<I: Interceptor> AnyInterceptor for I {
    fn intercept_boxed<'a>(
        &'a self,
        call: InterceptedCall,
        next: Next<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Status>> + Send + 'a>> {
        Box::pin(self.intercept(call, next))
    }

    fn hear_end(&self, end: &CallEnd<'_>) {
        if catch_unwind(AssertUnwindSafe(|| self.ended(end))).is_err() {
            tracing::error!(
                method = end.method.path(),
                "an interceptor panicked in `ended`"
            );
        }
    }
}
