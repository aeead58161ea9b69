//! [`TowerService`]: a service mounted in another server.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use http_body::Body;

use super::accept::accept;
use super::body::ReplyBody;
use super::call::Call;
use super::deadline::Deadline;
use super::detached::Detached;
use super::guard::CallGuard;
use super::interceptors::{ChainError, Interceptors};
use super::request::RequestBody;
use super::service::Service;
use super::serving::Serving;
use crate::BoxError;
use crate::wire::DEFAULT_MAX_MESSAGE_SIZE;

/// A generated service as a [`tower_service::Service`] with tonic's `NamedService`, to be mounted in
/// tonic's server or an axum router. Clones share the service.
pub struct TowerService<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    service: S,
    chain: Interceptors,
}

impl<S: Service> TowerService<S> {
    /// Puts `chain` around `service`. Generated `into_service` calls this.
    ///
    /// # Errors
    ///
    /// When a method of the service asks for what `chain` doesn't have.
    pub fn new(service: S, chain: Interceptors) -> Result<Self, ChainError> {
        Ok(Self {
            shared: Arc::new(Shared { service, chain }),
        })
    }
}

impl<S, B> tower_service::Service<http::Request<B>> for TowerService<S>
where
    S: Service,
    B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = http::Response<ReplyBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let Shared { service, chain } = &*self.shared;
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let method = S::METHODS.iter().find(|method| method.path() == path);
        match accept(parts, None, method, chain, None) {
            Ok((context, method)) => {
                let guard = CallGuard::new(context.clone(), method);
                let body = RequestBody::foreign(body);
                let call = Call::new(context.clone(), method, body, DEFAULT_MAX_MESSAGE_SIZE);
                let dispatch = service.dispatch(call);
                let deadline = Deadline::timed(guard.context().deadline());
                if method.is_detached() {
                    let detached = Detached::new(dispatch, context, method.capped_at());
                    let (work, waiting) = detached.split();
                    tokio::spawn(work);
                    let serving = Serving::new(waiting, guard, deadline);
                    return Box::pin(async move { Ok(serving.await) });
                }
                let serving = Serving::new(dispatch, guard, deadline);
                Box::pin(async move { Ok(serving.await) })
            }
            Err(refused) => {
                let response = refused.respond(chain);
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}

impl<S: Service> tonic::server::NamedService for TowerService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Clone for TowerService<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<S: fmt::Debug> fmt::Debug for TowerService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TowerService")
            .field("service", &self.shared.service)
            .finish_non_exhaustive()
    }
}
