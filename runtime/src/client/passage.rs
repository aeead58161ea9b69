//! [`Passage`]: a client's call on its way through the interceptors.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

use super::outgoing::Outgoing;
use super::setback::Setback;
use crate::interceptors::{CallEnd, Came, InterceptedCall, MethodChain, Through, Trail, through};
use crate::observe::{Event, Side};
use crate::{Code, Context, Method, Status};

/// A call on its way through the interceptors, and how it comes back.
pub(super) struct Passage {
    chain: Arc<MethodChain>,
    trail: Arc<Trail>,
    /// What it is sent with, once it has come through those that may have changed it. Boxed, since most
    /// calls have none, and the futures of all would be as large.
    metadata: OnceLock<Box<MetadataMap>>,
}

impl Passage {
    pub(super) fn new(chain: &Arc<MethodChain>) -> Self {
        Self {
            chain: Arc::clone(chain),
            trail: Arc::default(),
            metadata: OnceLock::new(),
        }
    }

    /// The call was made with this correlation id among its metadata.
    pub(super) fn correlate(&self, id: &str) {
        self.trail.correlation().set_of_metadata(id);
    }

    pub(super) fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// An attempt to carry the call has ended.
    pub(super) fn hear(&self, event: &Event<'_>) {
        self.chain.hear(event);
    }

    /// What the call is sent with, in place of what it was made with.
    pub(super) fn metadata(&self) -> Option<&MetadataMap> {
        self.metadata.get().map(|metadata| &**metadata)
    }

    /// The correlation id that the call has got here, or was made with.
    pub(super) fn correlation_id(&self) -> Option<&str> {
        self.trail.correlation().own()
    }

    /// Carries the call by `exchange`, once it has come through.
    pub(super) async fn carry<R>(
        &self,
        call: &Outgoing,
        exchange: impl Future<Output = Result<R, Setback>>,
    ) -> Result<R, Setback> {
        match self.chain.enter(&call.context, &self.trail) {
            Came::Through => exchange.await,
            #[cfg(feature = "auth")]
            Came::Refused(status) => Err(answered(status)),
            // Boxed, since most calls have nothing to wait for, and all would be as large.
            Came::To(at) => Box::pin(self.wait(at, call, exchange)).await,
        }
    }

    async fn wait<R>(
        &self,
        at: usize,
        call: &Outgoing,
        exchange: impl Future<Output = Result<R, Setback>>,
    ) -> Result<R, Setback> {
        let trail = Arc::clone(&self.trail);
        let (context, metadata) = (call.context.clone(), call.metadata());
        let intercepted = InterceptedCall::outgoing(call.method(), context, metadata, trail);
        let exchange = |passed: InterceptedCall| {
            // It comes through once.
            let _ = self.metadata.set(Box::new(passed.into_metadata()));
            exchange
        };
        match through(&self.chain, at, intercepted, exchange, Setback::told).await {
            Through::Carried(result) => result,
            Through::Answered(status) => Err(answered(status)),
        }
    }

    /// The call is over.
    pub(super) fn leave(
        &self,
        method: &'static Method,
        context: &Context,
        code: Code,
        (ended, elapsed): (Instant, Duration),
    ) {
        self.chain.leave_client(&CallEnd {
            side: Side::Client,
            method,
            context,
            code,
            elapsed,
            ended,
            trail: &self.trail,
        });
    }
}

/// An interceptor's own answer: as if the server had said so, and final.
fn answered(status: Status) -> Setback {
    Setback::Status {
        status,
        after_head: true,
    }
}
