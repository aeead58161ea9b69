//! [`TowerService`]: a service mounted in another server.

use std::convert::Infallible;
use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};

use bytes::Bytes;
use http_body::Body;

use super::accept::{Bounds, OTHER, Refused, Taker, accept};
use super::body::ReplyBody;
use super::call::{Call, Reply};
use super::chained::{self, Beyond};
use super::deadline::Deadline;
use super::detached::Detached;
use super::guard::CallGuard;
#[cfg(feature = "server")]
use super::limits::Limiter;
use super::request::RequestBody;
use super::service::{BoxDispatch, Service};
use super::serving::Serving;
use crate::BoxError;
use crate::interceptors::{ChainError, Interceptors, MethodChain};
use crate::observe::Side;
use crate::wire::DEFAULT_MAX_MESSAGE_SIZE;
use crate::{Context, Method};

/// A generated service as a [`tower_service::Service`] with tonic's `NamedService`, to be mounted in
/// tonic's server or an axum router. Clones share the service.
///
/// What belongs to calls is the same as on our own [`Server`]: deadlines and the proto's caps on them,
/// cancellation, errors, compression by [`Interceptors::with_compression`], `detached` methods, whose
/// work ends with the runtime at the latest. Rate limits of the proto are kept for callers as
/// [`Interceptors::with_rate_limit_key`] tells them apart; without it all of them share each limit, as
/// nobody knows their addresses here.
///
/// What belongs to connections and to the server is that of the server around: TLS and who has shown
/// which certificate, who the peer is, how many calls run at once, how large metadata is, how it
/// stops; health, reflection and the list of calls in flight. Messages have the default limit of 4 MiB.
///
/// [`Server`]: crate::Server
/// [`Interceptors::with_compression`]: crate::Interceptors::with_compression
/// [`Interceptors::with_rate_limit_key`]: crate::Interceptors::with_rate_limit_key
pub struct TowerService<S> {
    shared: Arc<Shared<S>>,
}

struct Shared<S> {
    service: S,
    chain: Interceptors,
    /// What stands around the calls of each method, by their order.
    chains: Box<[Option<Arc<MethodChain>>]>,
    /// What stands around the calls of methods that there are none of; None where nothing does.
    unknown: Option<Arc<MethodChain>>,
    rates: Rates,
}

impl<S: Service> TowerService<S> {
    /// Puts `chain` around `service`. Generated `into_service` calls this.
    ///
    /// # Errors
    ///
    /// When a method of the service asks for what `chain` doesn't have, or has a rate limit that
    /// can't be kept.
    pub fn new(service: S, chain: Interceptors) -> Result<Self, ChainError> {
        let rates = Rates::of::<S>(&chain)?;
        let of = |method| {
            let own = chain.of(Side::Server, method);
            own.map_err(|problem| ChainError::of(method, &problem))
        };
        let chains = S::METHODS.iter().map(of).collect::<Result<_, _>>()?;
        let unknown = of(&OTHER)?.filter(|chain| chain.has_steps());
        let shared = Shared {
            service,
            chain,
            chains,
            unknown,
            rates,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }
}

/// The rate limits of a service's methods, by their order; empty where none has one.
struct Rates(#[cfg(feature = "server")] Box<[Option<Limiter>]>);

#[cfg(feature = "server")]
impl Rates {
    fn of<S: Service>(chain: &Interceptors) -> Result<Self, ChainError> {
        let mut rates = Vec::new();
        if S::METHODS
            .iter()
            .any(|method| method.limited_to().is_some())
        {
            if chain.rate_key().is_none() {
                tracing::warn!(
                    service = S::NAME,
                    "has rate limits, and is mounted where nobody knows the addresses of callers: \
                     without `Interceptors::with_rate_limit_key`, all of them share each limit"
                );
            }
            for method in S::METHODS {
                let limit = method.limited_to();
                let limiter = limit.map(|limit| Limiter::new(limit, chain.rate_key().cloned()));
                rates.push(limiter.transpose().map_err(|problem| {
                    ChainError::new(S::NAME, format!("the rate limit of `{method}` {problem}"))
                })?);
            }
        }
        Ok(Self(rates.into()))
    }

    fn admit(
        &self,
        at: Option<usize>,
        call: &Context,
        method: &'static Method,
    ) -> Result<(), Refused> {
        match at.and_then(|at| self.0.get(at)) {
            Some(Some(limiter)) => limiter.admit(call, method),
            _ => Ok(()),
        }
    }
}

/// What keeps rates is behind the feature: a service that has some isn't served without.
#[cfg(not(feature = "server"))]
impl Rates {
    fn of<S: Service>(_: &Interceptors) -> Result<Self, ChainError> {
        let mut limited = S::METHODS
            .iter()
            .filter(|method| method.limited_to().is_some());
        match limited.next() {
            None => Ok(Self()),
            Some(method) => Err(ChainError::new(
                S::NAME,
                format!("`{method}` has a rate limit, which takes apibase's feature `server`"),
            )),
        }
    }

    fn admit(&self, _: Option<usize>, _: &Context, _: &'static Method) -> Result<(), Refused> {
        Ok(())
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
        let shared = &*self.shared;
        let (mut head, body) = request.into_parts();
        let path = head.uri.path();
        let at = S::METHODS.iter().position(|method| method.path() == path);
        let own = at.and_then(|at| shared.chains.get(at)?.as_ref());
        let taker = match at {
            Some(at) => S::METHODS
                .get(at)
                .map(|method| Taker { method, chain: own }),
            None => shared.unknown.as_ref().map(|chain| Taker {
                method: &OTHER,
                chain: Some(chain),
            }),
        };
        let unknown = at.is_none().then(|| path.to_owned());
        let accepted = accept(&mut head, None, taker, &shared.chain, Bounds::default());
        let steps = own.filter(|chain| chain.has_steps());
        let admitted = accepted.and_then(|(context, method)| {
            // Where there are interceptors, after them.
            if steps.is_none() {
                shared.rates.admit(at, &context, method)?;
            }
            Ok((context, method))
        });
        let (context, method) = match admitted {
            Ok(admitted) => admitted,
            Err(refused) => return Box::pin(ready(Ok(refused.respond(&shared.chain)))),
        };
        let guard = CallGuard::new(context.clone(), method);
        let deadline = Deadline::timed(context.deadline());
        if let (Some(path), Some(chain)) = (unknown, &shared.unknown) {
            let dispatch = chained::unknown(chain, context.clone(), &path);
            return serve(dispatch, context, method, guard, deadline);
        }
        let body = RequestBody::foreign(body);
        match steps {
            None => {
                let call = Call::new(context.clone(), method, body, DEFAULT_MAX_MESSAGE_SIZE);
                serve(
                    shared.service.dispatch(call),
                    context,
                    method,
                    guard,
                    deadline,
                )
            }
            Some(chain) => {
                let request = (at, body);
                let dispatch =
                    chained::answer(chain, method, context.clone(), request, &self.shared);
                serve(dispatch, context, method, guard, deadline)
            }
        }
    }
}

impl<S: Service> Beyond for Shared<S> {
    /// Which method it is, and the request's body.
    type Request = (Option<usize>, RequestBody);

    fn dispatch(&self, context: Context, (at, body): Self::Request) -> BoxDispatch {
        let chain = at.and_then(|at| self.chains.get(at)?.as_ref());
        let method = at.and_then(|at| S::METHODS.get(at)).unwrap_or(&OTHER);
        if let Err(refused) = self.rates.admit(at, &context, method) {
            return chained::refuse(refused, chain, &context);
        }
        let call = Call::new(context, method, body, DEFAULT_MAX_MESSAGE_SIZE);
        Box::pin(self.service.dispatch(call))
    }
}

/// Answers a call by `dispatch`.
fn serve(
    dispatch: impl Future<Output = Reply> + Send + 'static,
    context: Context,
    method: &'static Method,
    guard: CallGuard,
    deadline: Deadline,
) -> Pin<Box<dyn Future<Output = Result<http::Response<ReplyBody>, Infallible>> + Send>> {
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
