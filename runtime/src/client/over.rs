//! [`Over`]: somebody else's transport, with what a factory has set.

use std::fmt;
use std::sync::Arc;

use http::{Request, Response};

use super::attempt::Attempt;
use super::body::RequestStream;
use super::transport::{Transport, TransportError};
use super::upstream::Upstream;

/// A transport whose calls are made as a [`ClientFactory`](super::ClientFactory) has it:
/// [`ClientFactory::over`](super::ClientFactory::over). Clones share circuit breakers and
/// throttles.
#[derive(Clone)]
pub struct Over<T> {
    transport: T,
    upstream: Arc<Upstream>,
}

impl<T> Over<T> {
    pub(super) fn new(transport: T, upstream: Arc<Upstream>) -> Self {
        Self {
            transport,
            upstream,
        }
    }
}

impl<T: Transport> Transport for Over<T> {
    type Body = T::Body;

    fn send(
        &self,
        request: Request<RequestStream>,
        attempt: &mut Attempt,
    ) -> impl Future<Output = Result<Response<T::Body>, TransportError>> + Send {
        self.transport.send(request, attempt)
    }

    fn upstream(&self) -> Option<&Arc<Upstream>> {
        Some(&self.upstream)
    }
}

impl<T> fmt::Debug for Over<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Over")
            .field("upstream", &self.upstream)
            .finish_non_exhaustive()
    }
}
